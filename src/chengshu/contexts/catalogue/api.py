"""Data elements, sources and the four lists: the only module that other contexts, interfaces and the site may import."""
