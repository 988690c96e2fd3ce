"""Evaluation: how well a bundle reads people's labels, with intervals, leak checks and peers.

>>> from edgeemo import Recognizer
>>> from edgeemo.evaluation import evaluate
>>> from edgeemo.data.manifest import read_manifest
>>> report = evaluate(Recognizer.open("text"), read_manifest("dev.csv"))  # doctest: +SKIP
>>> report.metrics["macro_f1"]  # doctest: +SKIP
"""

from ..data.leaks import LeakCheck
from .bootstrap import Interval
from .report import Level, Report, evaluate

__all__ = ["Interval", "LeakCheck", "Level", "Report", "evaluate"]
