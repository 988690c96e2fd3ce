// What the bindings of all specs share: fields from and to Python, and the class of a read-only value.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <string>

#include "errors.h"

namespace specs {

namespace py = pybind11;

[[noreturn]] void wrong_type(const char* field, const char* expected, py::handle value);

// Lone surrogates, which UTF-8 has no bytes for, become "?".
std::string to_utf8(py::handle text);

// Of each field, by its type: from Python …
void read(const char* field, py::handle value, bool& to);
void read(const char* field, py::handle value, std::int32_t& to);
void read(const char* field, py::handle value, double& to);

template <class Choice>
void read(const char* field, py::handle value, Choice& to) {
    if (!PyUnicode_Check(value.ptr())) wrong_type(field, "a str", value);
    set_by_name(to_utf8(value), to);
}

// … and to Python.
inline py::object shown(bool value) { return py::bool_(value); }
inline py::object shown(std::int32_t value) { return py::int_(value); }
inline py::object shown(double value) { return py::float_(value); }
template <class Choice>
py::object shown(Choice value) {
    return py::str(name_of(value));
}

// A spec as Python sees it. `Fields` has a name and visit(spec, field), which calls field(name, value,
// meaning) for each field, sorted by name.
template <class Spec, class Fields>
struct Binding {
    static void set_field(Spec& spec, const std::string& key, py::handle value) {
        bool known = false;
        std::string keys;
        Fields::visit(spec, [&](const char* name, auto& field, const char*) {
            keys += (keys.empty() ? "" : ", ") + std::string(name);
            if (key != name) return;
            known = true;
            read(name, value, field);
        });
        if (!known) {
            raise_spec_error("unknown key '" + key + "' in a " + Fields::name + "; the keys are " + keys);
        }
    }

    static Spec from_dict(const py::object& object) {
        if (!PyDict_Check(object.ptr())) {
            raise_spec_error(std::string("a ") + Fields::name + " is made from a dict, got " +
                             type_name(object));
        }
        Spec spec;
        for (const auto& [key, value] : py::reinterpret_borrow<py::dict>(object)) {
            set_field(spec, to_utf8(py::str(key)), value);
        }
        spec.validate();
        return spec;
    }

    static py::dict to_dict(const Spec& spec) {
        py::dict d;
        Fields::visit(spec,
                      [&](const char* name, const auto& field, const char*) { d[name] = shown(field); });
        return d;
    }

    static std::string repr(const Spec& spec) {
        std::string text = std::string(Fields::name) + "(";
        const char* separator = "";
        for (const auto& [key, value] : to_dict(spec)) {
            text += separator + std::string(py::str(key)) + "=" + std::string(py::repr(value));
            separator = ", ";
        }
        return text + ")";
    }

    static py::class_<Spec> bind(py::module_& m, const char* meaning) {
        constexpr const char* kRaises =
            "\n\nRaises SpecError for an unknown key, a wrong type or a value out of range.";
        py::class_<Spec> spec(m, Fields::name, (std::string(meaning) + kRaises).c_str());
        spec.def(py::init([](const py::kwargs& fields) { return from_dict(fields); }))
            .def_static("from_dict", &from_dict, py::arg("fields"),
                        "The spec of a dict as to_dict makes it; absent keys have their defaults.\n"
                        "Raises SpecError for an unknown key, a wrong type or a value out of range.")
            .def("to_dict", &to_dict, "All fields by name, sorted.")
            .def_property_readonly("digest", &Spec::digest, "16 hexadecimal digits; equal for equal specs.")
            .def(
                "__eq__", [](const Spec& a, const Spec& b) { return a == b; }, py::is_operator())
            .def(
                "__ne__", [](const Spec& a, const Spec& b) { return a != b; }, py::is_operator())
            .def("__hash__", [](const Spec& s) { return py::hash(py::str(s.digest())); })
            .def("__repr__", &repr)
            .def(py::pickle(&to_dict, [](const py::dict& fields) { return from_dict(fields); }));
        Spec defaults;
        Fields::visit(defaults, [&](const char* name, auto&, const char* field_meaning) {
            const std::string key = name;
            const auto get = [key](const Spec& s) {
                py::object found;
                Fields::visit(s, [&](const char* field, const auto& value, const char*) {
                    if (key == field) found = shown(value);
                });
                return found;
            };
            spec.def_property_readonly(name, get, field_meaning);
        });
        return spec;
    }
};

}  // namespace specs
