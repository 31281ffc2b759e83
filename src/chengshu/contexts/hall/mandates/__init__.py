"""Mandates as pages: give, accept, decline, revoke, act for another."""
