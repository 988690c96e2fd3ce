#include <string>

#include "bindings.h"
#include "edgeemo/text.h"
#include "errors.h"

namespace py = pybind11;
using edgeemo::TextSpec;

namespace {

constexpr const char* kFields = "length, lowercase, normalization, special_tokens, strip_accents, unknown";

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

std::string to_name(const char* field, py::handle value) {
    if (!PyUnicode_Check(value.ptr())) wrong_type(field, "a str", value);
    return to_utf8(value);
}

bool to_bool(const char* field, py::handle value) {
    if (!PyBool_Check(value.ptr())) wrong_type(field, "a bool", value);
    return value.ptr() == Py_True;
}

std::int32_t to_int(const char* field, py::handle value) {
    if (!PyLong_Check(value.ptr()) || PyBool_Check(value.ptr())) wrong_type(field, "an int", value);
    int overflow = 0;
    const long long n = PyLong_AsLongLongAndOverflow(value.ptr(), &overflow);
    if (overflow != 0 || n < INT32_MIN || n > INT32_MAX) wrong_type(field, "in [1, 4096]", value);
    return static_cast<std::int32_t>(n);
}

void set_field(TextSpec& spec, const std::string& key, py::handle value) {
    if (key == "normalization") {
        spec.normalization = edgeemo::normalization_of(to_name("normalization", value));
    } else if (key == "lowercase") {
        spec.lowercase = to_bool("lowercase", value);
    } else if (key == "strip_accents") {
        spec.strip_accents = to_bool("strip_accents", value);
    } else if (key == "unknown") {
        spec.unknown = edgeemo::unknown_of(to_name("unknown", value));
    } else if (key == "special_tokens") {
        spec.special_tokens = to_bool("special_tokens", value);
    } else if (key == "length") {
        spec.length = to_int("length", value);
    } else {
        raise_spec_error("unknown key '" + key + "' in a TextSpec; the keys are " + kFields);
    }
}

TextSpec from_dict(const py::object& object) {
    if (!PyDict_Check(object.ptr()))
        raise_spec_error("a TextSpec is made from a dict, got " + type_name(object));
    TextSpec spec;
    for (const auto& [key, value] : py::reinterpret_borrow<py::dict>(object)) {
        set_field(spec, to_utf8(py::str(key)), value);
    }
    spec.validate();
    return spec;
}

py::dict to_dict(const TextSpec& spec) {
    py::dict d;
    d["length"] = spec.length;
    d["lowercase"] = spec.lowercase;
    d["normalization"] = name_of(spec.normalization);
    d["special_tokens"] = spec.special_tokens;
    d["strip_accents"] = spec.strip_accents;
    d["unknown"] = name_of(spec.unknown);
    return d;
}

std::string text_spec_repr(const TextSpec& spec) {
    std::string text = "TextSpec(";
    const char* separator = "";
    for (const auto& [key, value] : to_dict(spec)) {
        text += separator + py::str(key).cast<std::string>() + "=" + py::repr(value).cast<std::string>();
        separator = ", ";
    }
    return text + ")";
}

}  // namespace

void bind_text_spec(py::module_& m) {
    m.attr("TEXT_FRONTEND_VERSION") = edgeemo::kTextFrontendVersion;
    m.attr("UNICODE_VERSION") = edgeemo::unicode_version();
    py::class_<TextSpec>(m, "TextSpec",
                         "How text becomes ids: a read-only value.\n\n"
                         "normalization: 'nfkc' or 'bert'; unknown: 'character' or 'word';\n"
                         "length: ids per text, 1 to 4096 (at least 3 with special_tokens).\n"
                         "Raises SpecError for an unknown key, a wrong type or a value out of range.")
        .def(py::init([](const py::kwargs& fields) { return from_dict(fields); }))
        .def_static("from_dict", &from_dict, py::arg("fields"),
                    "The spec of a dict as to_dict makes it; absent keys have their defaults.\n"
                    "Raises SpecError for an unknown key, a wrong type or a value out of range.")
        .def("to_dict", &to_dict, "All fields by name, sorted.")
        .def_property_readonly(
            "normalization", [](const TextSpec& s) { return name_of(s.normalization); }, "'nfkc' or 'bert'.")
        .def_property_readonly(
            "unknown", [](const TextSpec& s) { return name_of(s.unknown); },
            "What becomes [UNK]: one 'character' or the whole 'word'.")
        .def_readonly("lowercase", &TextSpec::lowercase, "Fold case ('nfkc') or lower it ('bert').")
        .def_readonly("strip_accents", &TextSpec::strip_accents, "Drop nonspacing marks after decomposition.")
        .def_readonly("special_tokens", &TextSpec::special_tokens,
                      "Put [CLS] before and [SEP] after the ids.")
        .def_readonly("length", &TextSpec::length, "Ids per text.")
        .def_property_readonly("digest", &TextSpec::digest, "16 hexadecimal digits; equal for equal specs.")
        .def_property_readonly(
            "output", [](const TextSpec& s) { return py::make_tuple(py::make_tuple(s.length), "int32"); },
            "Shape and dtype of one result: ((length,), 'int32').")
        .def(
            "__eq__", [](const TextSpec& a, const TextSpec& b) { return a == b; }, py::is_operator())
        .def(
            "__ne__", [](const TextSpec& a, const TextSpec& b) { return a != b; }, py::is_operator())
        .def("__hash__", [](const TextSpec& s) { return py::hash(py::str(s.digest())); })
        .def("__repr__", &text_spec_repr)
        .def(py::pickle(&to_dict, [](const py::dict& fields) { return from_dict(fields); }));
}
