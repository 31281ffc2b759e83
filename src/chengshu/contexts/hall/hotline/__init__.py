"""The 12345 hotline: how requests come in, are followed, opened again, and shown to everyone without personal data."""
