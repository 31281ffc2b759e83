"""Which records speak of one person, firm, facility or place: sure keys first, then Splink, then clusters."""

from chengshu.batch.linkage.changes import Changes, Previous, differing, resolve_changes
from chengshu.batch.linkage.resolve import Resolution, resolve

__all__ = ["Changes", "Previous", "Resolution", "differing", "resolve", "resolve_changes"]
