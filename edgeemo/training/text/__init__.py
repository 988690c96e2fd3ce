"""How text bundles are trained: vocabulary, batches, networks, distillation (extra `train`)."""
