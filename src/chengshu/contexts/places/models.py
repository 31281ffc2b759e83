"""Divisions, communities, zones, cells and the address library: persistence only."""
