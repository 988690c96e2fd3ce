// The errors of the engine: each says what is wrong and what to do.
#pragma once

#include <stdexcept>

namespace edgeemo {

// A specification or vocabulary that cannot work.
class SpecError : public std::invalid_argument {
  public:
    using std::invalid_argument::invalid_argument;
};

// A value handed to a computation that has no answer.
class InputError : public std::invalid_argument {
  public:
    using std::invalid_argument::invalid_argument;
};

// LiteRT is missing, too old or lacks a function.
class RuntimeUnavailableError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// LiteRT refused a model or could not run it, or an output is not a finite number.
class InferenceError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// A delegate was named and cannot be used.
class DelegateError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// A bundle cannot be read or used.
class BundleError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// There is no such file.
class BundleNotFoundError : public BundleError {
  public:
    using BundleError::BundleError;
};

// Truncated, tampered with, or no bundle at all.
class BundleCorruptError : public BundleError {
  public:
    using BundleError::BundleError;
};

// Made by a newer edgeemo.
class BundleVersionError : public BundleError {
  public:
    using BundleError::BundleError;
};

// The bundle has another modality than asked for, or model and card disagree.
class BundleMismatchError : public BundleError {
  public:
    using BundleError::BundleError;
};

}  // namespace edgeemo
