"""How face bundles are trained: augmentation, batches, networks (extra `train`)."""
