"""Data: manifests, readers of files and of data sets, folds, leaks. Needs only NumPy until a file is read."""
