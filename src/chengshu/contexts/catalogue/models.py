"""Data elements, sources and the four lists: persistence only."""
