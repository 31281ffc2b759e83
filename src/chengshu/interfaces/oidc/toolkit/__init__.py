"""The OAuth toolkit's tables: its twenty-two migrations as one, so that a new database is ready in half the time."""
