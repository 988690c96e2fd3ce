"""The tree of errors. Every message says what was expected, what came, and what to do.

::

    EdgeemoError
    ├── InputError (ValueError)      what was passed in cannot be used
    │   ├── InputTypeError (TypeError)
    │   └── DataError                a manifest or a data folder cannot be used
    │       └── LeakError            test data also stands in the training data
    ├── SourceError (OSError)        a microphone, file or pipe cannot be read (any more)
    ├── SpecError (ValueError)       a frontend spec or a recipe is wrong
    ├── BundleError                  the model file cannot be used
    │   ├── BundleNotFoundError (FileNotFoundError)
    │   ├── BundleCorruptError       truncated, tampered, not a bundle
    │   ├── BundleVersionError       made by a newer edgeemo
    │   ├── BundleMismatchError      of another modality or shape than asked for
    │   └── LicenseError             commercial use required, not cleared
    ├── RuntimeUnavailableError (ImportError)   an optional package is missing
    ├── DelegateError                a named delegate cannot be used
    ├── InferenceError               the interpreter refused the model or the tensors
    └── ConversionError              the converter failed
        └── BudgetError              what it made is not good enough
"""

from __future__ import annotations

from typing import ClassVar


class EdgeemoError(Exception):
    """The root of every error that edgeemo raises on purpose.

    Attributes:
        code: the integer that the C functions return for this error (``edgeemo.h``), always negative.
            Only Python raises the errors -13 to -15.
    """

    code: ClassVar[int] = -12


class InputError(EdgeemoError, ValueError):
    """An argument cannot be used."""

    code = -1


class InputTypeError(InputError, TypeError):
    """An argument has the wrong type."""


class DataError(InputError):
    """A manifest or a data folder cannot be used."""


class LeakError(DataError):
    """Test examples also stand in the training data."""


class SourceError(EdgeemoError, OSError):
    """A microphone, a file or a pipe cannot be read, or cannot be read any more."""

    code = -13


class SpecError(EdgeemoError, ValueError):
    """A frontend spec or a recipe has an unknown key or a value out of range."""

    code = -2


class BundleError(EdgeemoError):
    """A bundle cannot be read, written or used."""

    code = -7


class BundleNotFoundError(BundleError, FileNotFoundError):
    """Neither a shipped bundle nor a file has this name."""

    code = -3


class BundleCorruptError(BundleError):
    """The file is truncated or tampered with, or is not a bundle."""

    code = -4


class BundleVersionError(BundleError):
    """The file was made by a newer edgeemo."""

    code = -5


class BundleMismatchError(BundleError):
    """The bundle is of another modality, or its model and its card disagree."""

    code = -6


class LicenseError(BundleError):
    """Commercial use was required of a bundle that is not cleared for it."""

    code = -14


class RuntimeUnavailableError(EdgeemoError, ImportError):
    """An optional package is not installed."""

    code = -8


class DelegateError(EdgeemoError):
    """A delegate was named and cannot be used."""

    code = -9


class InferenceError(EdgeemoError):
    """The interpreter refused the model or its tensors."""

    code = -10


class ConversionError(EdgeemoError):
    """A model could not be converted or compared with its bundle; nothing was written."""

    code = -15


class BudgetError(ConversionError):
    """The converted model missed its budget; nothing was written."""


class LicenseWarning(UserWarning):
    """The bundle just opened is not cleared for commercial use."""
