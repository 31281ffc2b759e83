"""Generated departments' tables with a known truth, for the demo and the benchmarks."""
