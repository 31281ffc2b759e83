"""Which records speak of one person, firm, facility or place: sure keys first, then Splink, then clusters."""

from chengshu.batch.linkage.resolve import Previous, Resolution, resolve

__all__ = ["Previous", "Resolution", "resolve"]
