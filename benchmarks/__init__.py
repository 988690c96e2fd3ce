"""Measures the cost and the accuracy of edgeemo and its peers; see `benchmarks.table` and the
``bench_*.py``."""
