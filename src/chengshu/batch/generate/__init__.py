"""Generates the demo district: a town, its people and firms, and what departments wrote of them, from a seed.

Everything here is made up, with a known truth; districts/baoan/README.md says how one sees that an identity is
generated. Divisions, zones, hospitals and charging stations are real.
"""

from chengshu.batch.generate.days import daily
from chengshu.batch.generate.demo import Truth, generate, load_truth

__all__ = ["Truth", "daily", "generate", "load_truth"]
