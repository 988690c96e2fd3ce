"""The one error tree. Every message says what was expected, what came, and what to do.

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


class EdgeemoError(Exception):
    """Root of every error edgeemo raises on purpose."""


class InputError(EdgeemoError, ValueError):
    """What was passed in cannot be used."""


class InputTypeError(InputError, TypeError):
    """What was passed in has the wrong type."""


class DataError(InputError):
    """A manifest or a data folder cannot be used."""


class LeakError(DataError):
    """Test examples also stand in the training data."""


class SourceError(EdgeemoError, OSError):
    """A microphone, a file or a pipe cannot be read, or not any more."""


class SpecError(EdgeemoError, ValueError):
    """A frontend spec or a recipe has an unknown key or a value out of range."""


class BundleError(EdgeemoError):
    """A bundle cannot be read, written or used."""


class BundleNotFoundError(BundleError, FileNotFoundError):
    """Neither a shipped bundle nor a file has this name."""


class BundleCorruptError(BundleError):
    """The file is truncated, tampered with, or no bundle at all."""


class BundleVersionError(BundleError):
    """The file was made by a newer edgeemo."""


class BundleMismatchError(BundleError):
    """The bundle is of another modality, or its model and its card disagree."""


class LicenseError(BundleError):
    """Commercial use was required of a bundle that is not cleared for it."""


class RuntimeUnavailableError(EdgeemoError, ImportError):
    """An optional package is not installed."""


class DelegateError(EdgeemoError):
    """A delegate was named and cannot be used."""


class InferenceError(EdgeemoError):
    """The interpreter refused the model or its tensors."""


class ConversionError(EdgeemoError):
    """A model could not be converted, or not be compared with its bundle; nothing was written."""


class BudgetError(ConversionError):
    """The converted model missed its budget; nothing was written."""


class LicenseWarning(UserWarning):
    """The bundle just opened is not cleared for commercial use."""
