// Texts as Python hands them over.
#pragma once

#include <pybind11/pybind11.h>

#include <string_view>

#include "errors.h"

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
