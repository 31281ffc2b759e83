"""Decide which records of different departments are one person, firm or place."""
