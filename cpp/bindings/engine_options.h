// From Python's arguments to an engine's.
#pragma once

#include <pybind11/pybind11.h>

#include <string>

#include "edgeemo/delegates.h"
#include "edgeemo/engine.h"

// The caller's bytes themselves where they lie well, as those of all but tiny objects do; else a copy.
edgeemo::ModelBytes hold_model(const pybind11::bytes& bytes);

edgeemo::EngineOptions options_of(const std::string& library, std::int32_t threads,
                                  const std::string& delegate, const std::string& delegate_options);

// Calls a Python function that returns a list of bytes, with the GIL. None stands for no goldens. The object
// must outlive the result.
edgeemo::Goldens goldens_of(const pybind11::object& make);
