"""The service hall: what a resident sees of their own data. Nothing above it needs anything of it yet."""
