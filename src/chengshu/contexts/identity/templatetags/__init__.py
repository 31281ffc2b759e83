"""Template filters of identity."""
