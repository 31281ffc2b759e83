"""Registers, certificates, seals and credentials: what an act issues, and how anyone verifies it."""
