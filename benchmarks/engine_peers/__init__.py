"""The engines that `benchmarks/engines.py` runs beside ours, each doing the same case of five durable steps."""
