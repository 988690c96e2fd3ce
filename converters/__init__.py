"""Keras to int8 bundle: `quantize`, `verify`, `convert` (extra `train`). Installed as ``edgeemo.converters``.

`inspect` looks into finished bundles and needs no TensorFlow.
"""
