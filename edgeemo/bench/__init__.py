"""Measure a bundle: the time of the product's own call, as a whole and by stage.

``edgeemo bench`` is the command. In Python:

>>> from edgeemo.bench.run import Setup, bench
>>> bench(Setup("text"))["total_us"]["p50"]  # doctest: +SKIP
38.2
"""
