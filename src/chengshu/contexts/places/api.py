"""Divisions, communities, zones, cells and the address library: the only module that other contexts, interfaces and the site may import."""
