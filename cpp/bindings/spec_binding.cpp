#include "spec_binding.h"

namespace specs {

void wrong_type(const char* field, const char* expected, py::handle value) {
    raise_spec_error(std::string(field) + " must be " + expected + ", got " + type_name(value) + " " +
                     py::repr(value).cast<std::string>());
}

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

}  // namespace specs
