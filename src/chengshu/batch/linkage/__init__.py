"""Which records speak of one person, firm, facility or place: sure keys first, then Splink, then clusters."""

from chengshu.batch.linkage.resolve import Resolution, resolve

__all__ = ["Resolution", "resolve"]
