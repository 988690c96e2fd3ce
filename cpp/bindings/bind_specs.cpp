// The specs as Python sees them: read-only values, made from and shown as dicts.
#include <pybind11/pybind11.h>

#include <cstdint>
#include <map>
#include <string>

#include "bindings.h"
#include "errors.h"
#include "face/face_fields.h"
#include "text/text_fields.h"
#include "voice/voice_fields.h"

namespace py = pybind11;

namespace {

[[noreturn]] void wrong_type(const char* field, const char* expected, py::handle value) {
    raise_spec_error(std::string(field) + " must be " + expected + ", got " + type_name(value) + " " +
                     py::repr(value).cast<std::string>());
}

// Lone surrogates, which UTF-8 has no bytes for, become "?".
std::string to_utf8(py::handle text) {
    const auto bytes =
        py::reinterpret_steal<py::bytes>(PyUnicode_AsEncodedString(text.ptr(), "utf-8", "replace"));
    if (!bytes) throw py::error_already_set();
    return bytes;
}

void read(const char* field, py::handle value, bool& to) {
    if (!PyBool_Check(value.ptr())) wrong_type(field, "a bool", value);
    to = value.ptr() == Py_True;
}

void read(const char* field, py::handle value, std::int32_t& to) {
    if (!PyLong_Check(value.ptr()) || PyBool_Check(value.ptr())) wrong_type(field, "an int", value);
    int overflow = 0;
    const long long n = PyLong_AsLongLongAndOverflow(value.ptr(), &overflow);
    if (overflow != 0 || n < INT32_MIN || n > INT32_MAX) wrong_type(field, "a smaller number", value);
    to = static_cast<std::int32_t>(n);
}

void read(const char* field, py::handle value, double& to) {
    const bool number = PyFloat_Check(value.ptr()) || PyLong_Check(value.ptr());
    if (!number || PyBool_Check(value.ptr())) wrong_type(field, "a float", value);
    to = PyFloat_AsDouble(value.ptr());
    if (PyErr_Occurred() != nullptr) {
        PyErr_Clear();
        wrong_type(field, "a smaller number", value);
    }
}

template <class Choice>
void read(const char* field, py::handle value, Choice& to) {
    if (!PyUnicode_Check(value.ptr())) wrong_type(field, "a str", value);
    edgeemo::set_by_name(field, to_utf8(value), to);
}

py::object shown(bool value) { return py::bool_(value); }
py::object shown(std::int32_t value) { return py::int_(value); }
py::object shown(double value) { return py::float_(value); }
template <class Choice>
py::object shown(Choice value) {
    return py::str(name_of(value));
}

// A spec as Python sees it, by its list of fields.
template <class Spec>
struct Binding {
    using Fields = edgeemo::Fields<Spec>;

    static void set_field(Spec& spec, const std::string& key, py::handle value) {
        bool known = false;
        Fields::visit(spec, [&](const char* name, auto& field, const char*) {
            if (key != name) return;
            known = true;
            read(name, value, field);
        });
        if (!known) {
            const auto keys = py::str(", ").attr("join")(to_dict(spec)).template cast<std::string>();
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
        std::map<std::string, py::object> sorted;
        Fields::visit(spec,
                      [&](const char* name, const auto& field, const char*) { sorted[name] = shown(field); });
        py::dict d;
        for (const auto& [name, value] : sorted) d[py::str(name)] = value;
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

py::tuple output_of(const edgeemo::TextSpec& spec) {
    return py::make_tuple(py::make_tuple(spec.length), "int32");
}

py::tuple output_of(const edgeemo::VoiceSpec& spec) {
    return py::make_tuple(py::make_tuple(spec.span_frames, spec.mels), "float32");
}

py::tuple output_of(const edgeemo::FaceSpec& spec) {
    const int channels = spec.channels == edgeemo::FaceSpec::Channels::rgb ? 3 : 1;
    return py::make_tuple(py::make_tuple(spec.height, spec.width, channels), "float32");
}

template <class Spec>
void bind_frontend_spec(py::module_& m, const char* meaning, const char* output) {
    Binding<Spec>::bind(m, meaning)
        .def_property_readonly("output", [](const Spec& spec) { return output_of(spec); }, output);
}

}  // namespace

void bind_specs(py::module_& m) {
    m.attr("TEXT_FRONTEND_VERSION") = edgeemo::kTextFrontendVersion;
    m.attr("VOICE_FRONTEND_VERSION") = edgeemo::kVoiceFrontendVersion;
    m.attr("FACE_FRONTEND_VERSION") = edgeemo::kFaceFrontendVersion;
    m.attr("UNICODE_VERSION") = edgeemo::unicode_version();
    bind_frontend_spec<edgeemo::TextSpec>(m, "How text becomes ids: a read-only value.",
                                          "Shape and dtype of one result: ((length,), 'int32').");
    bind_frontend_spec<edgeemo::VoiceSpec>(m, "How PCM becomes features: a read-only value.",
                                           "Shape and dtype of a span: ((span_frames, mels), 'float32').");
    bind_frontend_spec<edgeemo::FaceSpec>(
        m, "How a face in a picture becomes a tensor: a read-only value.",
        "Shape and dtype of a tensor: ((height, width, 1 or 3), 'float32').");
    Binding<edgeemo::DetectorSpec>::bind(
        m, "The grids of a detector and how its heads become faces: a read-only value.")
        .def_property_readonly("cells", &edgeemo::DetectorSpec::cells,
                               "Cells of all grids: the heads speak of them.");
    Binding<edgeemo::VoiceStreamSpec>::bind(m, "Where utterances begin and end: a read-only value.");
    Binding<edgeemo::TrackerSpec>::bind(m, "When a face is one seen before: a read-only value.");
}
