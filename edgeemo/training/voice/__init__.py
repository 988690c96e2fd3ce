"""How voice bundles are trained: augmentation, features, batches, networks (extra `train`)."""
