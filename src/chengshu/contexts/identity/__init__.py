"""Accounts, roles, departments and the gatekeeper of personal data."""
