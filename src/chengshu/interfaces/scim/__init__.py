"""SCIM 2.0: a personnel system keeps the staff's accounts (RFC 7643, RFC 7644)."""
