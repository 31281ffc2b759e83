"""The service hall: what a resident sees of their own data."""
