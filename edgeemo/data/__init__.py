"""The data layer: each kind of file has one reader here, for serving, training, evaluation and conversion.

`edgeemo.data.pictures.read_picture` reads every picture, `edgeemo.data.sounds` every sound file. Above them
stand manifests, clips, faces, data sets, folds and leak checks. All of it needs only NumPy until it reads a
file.
"""
