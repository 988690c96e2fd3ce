// Each function binds one part of the engine.
#pragma once

#include <pybind11/pybind11.h>

void bind_bundle(pybind11::module_& m);
void bind_delegates(pybind11::module_& m);
void bind_detect(pybind11::module_& m);
void bind_errors(pybind11::module_& m);
void bind_face(pybind11::module_& m);
void bind_follow(pybind11::module_& m);
void bind_model(pybind11::module_& m);
void bind_online(pybind11::module_& m);
void bind_quant(pybind11::module_& m);
void bind_text(pybind11::module_& m);
void bind_specs(pybind11::module_& m);
void bind_voice(pybind11::module_& m);
