"""Accounts, roles, departments and the gatekeeper of personal data: the only module that other contexts, interfaces and the site may import."""
