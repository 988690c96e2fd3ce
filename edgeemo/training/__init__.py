"""Recipes, data, networks and the training loop (extra `train`)."""
