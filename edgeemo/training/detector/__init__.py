"""How detectors are trained: scenes, a teacher, batches, networks (extra `train`)."""
