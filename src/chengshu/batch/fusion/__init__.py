"""One golden record from many: by authority, then recency; every value keeps its origin, every conflict is kept."""

from chengshu.batch.fusion.effective import effective
from chengshu.batch.fusion.fuse import Fused, explain, fuse

__all__ = ["Fused", "effective", "explain", "fuse"]
