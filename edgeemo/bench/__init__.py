"""The benchmark of a bundle: it times the product's own call, whole, and where the time goes.

``edgeemo bench`` is its command line. In Python:

>>> from edgeemo.bench.run import Case, bench
>>> bench(Case("text"), seconds=2)["total_us"]["p50"]  # doctest: +SKIP
38.2
"""
