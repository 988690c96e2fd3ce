"""Recipes, data, networks and the training loop (extra `train`)."""

import os

# TensorFlow turns its faster kernels (oneDNN) on only where a processor has AVX-512
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
