// The errors of the engine: each says what is wrong and what to do.
#pragma once

#include <stdexcept>

namespace edgeemo {

// A specification or vocabulary that cannot work.
struct SpecError : std::invalid_argument {
    using std::invalid_argument::invalid_argument;
};

// A value handed to a computation that has no answer.
struct InputError : std::invalid_argument {
    using std::invalid_argument::invalid_argument;
};

// LiteRT is missing, too old or lacks a function.
struct RuntimeUnavailableError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// LiteRT refused a model or could not run it, or an output is not a finite number.
struct InferenceError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// A delegate was named and cannot be used.
struct DelegateError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// A bundle cannot be read or used.
struct BundleError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// There is no such file.
struct BundleNotFoundError : BundleError {
    using BundleError::BundleError;
};

// Truncated, tampered with, or no bundle at all.
struct BundleCorruptError : BundleError {
    using BundleError::BundleError;
};

// Made by a newer edgeemo.
struct BundleVersionError : BundleError {
    using BundleError::BundleError;
};

// The bundle has another modality than asked for, or model and card disagree.
struct BundleMismatchError : BundleError {
    using BundleError::BundleError;
};

}  // namespace edgeemo
