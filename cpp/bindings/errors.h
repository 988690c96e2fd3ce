// Errors of the engine become those of edgeemo.errors.
#pragma once

#include <pybind11/pybind11.h>

#include <string>

// Each raises the class of that name in edgeemo.errors (looked up when needed), else its built-in base.
[[noreturn]] void raise_spec_error(const std::string& message);        // ValueError
[[noreturn]] void raise_input_type_error(const std::string& message);  // TypeError

// "expected <what>, got <type>"
[[noreturn]] void raise_expected(const char* what, pybind11::handle got, const char* remedy);

std::string type_name(pybind11::handle object);
