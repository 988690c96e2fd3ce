// From Python's arguments to the engine's.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "edgeemo/bundle.h"
#include "edgeemo/delegates.h"
#include "edgeemo/detect.h"
#include "edgeemo/voice.h"
#include "errors.h"

// rate_hz or channels, of 32 bits. Raises InputTypeError, and InputError for a larger number.
std::int32_t to_int(const char* name, const pybind11::object& value);

// Whole milliseconds of 64 bits. Raises InputTypeError, and InputError for a larger number.
std::int64_t to_ms(const pybind11::object& value);

// The bytes of a str or bytes, and what keeps them alive. Raises InputTypeError for anything else.
struct Text {
    pybind11::object owner;
    std::string_view bytes;

    explicit Text(pybind11::handle text, const char* remedy = "decode or convert it first")
        : owner(pybind11::reinterpret_borrow<pybind11::object>(text)) {
        if (PyUnicode_Check(text.ptr())) {
            Py_ssize_t size = 0;
            if (const char* data = PyUnicode_AsUTF8AndSize(text.ptr(), &size)) {
                bytes = {data, static_cast<std::size_t>(size)};
                return;
            }
            PyErr_Clear();  // a lone surrogate: its bytes are ill-formed UTF-8, which the engine knows
            owner = pybind11::reinterpret_steal<pybind11::object>(
                PyUnicode_AsEncodedString(text.ptr(), "utf-8", "surrogatepass"));
            if (!owner) throw pybind11::error_already_set();
        } else if (!PyBytes_Check(text.ptr())) {
            raise_expected("str or bytes", text, remedy);
        }
        bytes = {PyBytes_AS_STRING(owner.ptr()), static_cast<std::size_t>(PyBytes_GET_SIZE(owner.ptr()))};
    }
};

// The caller's array itself, never a converted copy. Raises InputTypeError for another dtype or gaps,
// InputError for another number of dimensions.
edgeemo::Pcm to_pcm(const pybind11::object& array);

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

// Views into the caller's bytes, which must outlive them.
edgeemo::Assets assets_of(const pybind11::dict& assets);

// The caller's bytes themselves where they lie well, as those of all but tiny objects do; else a copy.
edgeemo::ModelBytes hold_model(const pybind11::bytes& bytes);

// Throws the KeyboardInterrupt of a Ctrl-C. Takes the GIL.
void check_signals();

edgeemo::EngineOptions options_of(const std::string& library, std::int32_t threads,
                                  const std::string& delegate, const std::string& delegate_options);

// Calls a Python function that returns a list of bytes, with the GIL. None stands for no goldens. The object
// must outlive the result.
edgeemo::Goldens goldens_of(const pybind11::object& make);
