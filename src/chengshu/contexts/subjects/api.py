"""Golden records, runs, corrections, returns and links: the only module that others may import."""

from __future__ import annotations

from chengshu.contexts.subjects.builds import Order, finish, recover, run_build
from chengshu.contexts.subjects.resubmission import refused_csv, resubmit

__all__ = ["Order", "finish", "recover", "refused_csv", "resubmit", "run_build"]
