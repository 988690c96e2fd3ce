"""A teacher's features become targets for a student, whatever the modality: components, and soft labels.

The teacher gives one vector of features an example, for instance the statistics of a large network's layer.
The student learns the vector's principal components with an output that is dropped after training.
"""

from __future__ import annotations

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from ..types import FloatArray
from .fit import known_targets

Rows = npt.NDArray[np.bool_]


def components(features: FloatArray, taught: Rows, n: int) -> FloatArray:
    """Return the ``n`` principal components of teacher features, ``(examples, n)``.

    Mean, deviations and axes come from the rows ``taught`` alone, so held-out examples choose nothing. The
    first component has deviation 3; the ratios among components stay. Rows without features stay NaN.

    Args:
        features: ``(examples, width)``; NaN where the teacher was not asked.
        taught: which rows training may see, ``(examples,)``.
    """
    own = features[taught & np.isfinite(features[:, 0])]
    mean, deviation = own.mean(0), own.std(0) + 1e-6
    scaled = (own - mean) / deviation
    _, axes = np.linalg.eigh(scaled.T @ scaled)
    chosen = axes[:, ::-1][:, :n]
    size = float((scaled @ chosen[:, 0]).std()) or 1.0
    return np.asarray((features - mean) / deviation @ chosen * (3 / size), np.float32)


def imitation(truth: keras.KerasTensor, value: keras.KerasTensor) -> keras.KerasTensor:
    """Squared distance of a student's answer to the teacher's components, 4 times its mean over them.

    So an untrained student pays about as much as for a label. Components that are NaN cost nothing.
    """
    known, target = known_targets(truth)
    return 4.0 * ops.mean(ops.square(target - value) * ops.cast(known, "float32"), axis=-1)
