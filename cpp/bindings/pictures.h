// Pictures, places in them and faces as Python hands them over.
#pragma once

#include <pybind11/pybind11.h>

#include <vector>

#include "edgeemo/detect.h"

// The caller's array itself, never a copy. Raises InputTypeError unless it is a uint8 array, InputError for
// a shape that does not fit `color`.
edgeemo::Image to_image(const pybind11::object& array, const pybind11::object& color);

// (x0, y0, x1, y1) and ((x, y), (x, y)), any sequences of numbers. Raise InputTypeError.
edgeemo::Box to_box(const pybind11::object& box);
edgeemo::Eyes to_eyes(const pybind11::object& eyes);

// Any sequence of Face. Raises InputTypeError.
std::vector<edgeemo::Face> to_faces(const pybind11::object& faces);

pybind11::tuple shown(const edgeemo::Box& box);
pybind11::tuple shown(const edgeemo::Eyes& eyes);

// Whole milliseconds, held to the range of an int64.
std::int64_t to_ms(const pybind11::object& value);
