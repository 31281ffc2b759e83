"""Chengshu (城枢), the open city hub: one linked and placed data base for a district, with grounds and proof."""

__version__ = "0.1.0"
