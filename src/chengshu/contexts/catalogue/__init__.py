"""Data elements, sources and the four lists."""
