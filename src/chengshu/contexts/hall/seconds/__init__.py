"""Decisions of seconds: told so that a layman can follow them, and some of them, drawn by lot, looked at by a person."""
