"""What edgeemo costs and how good it is, beside its peers; see `benchmarks.table` and the ``bench_*.py``."""
