"""Template tags of the context `cases`."""
