// Sound as Python hands it over.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>

#include "edgeemo/voice.h"

// The caller's array itself, never a converted copy. Raises InputTypeError for another dtype or gaps,
// InputError for another number of dimensions.
edgeemo::Pcm to_pcm(const pybind11::object& array);

// A whole number such as rate_hz, held to the range of an int32. Raises InputTypeError.
std::int32_t to_int(const char* name, const pybind11::object& value);
