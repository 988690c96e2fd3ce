#include "errors.h"

#include <cstring>

#include "bindings.h"
#include "edgeemo/errors.h"

namespace py = pybind11;

namespace {

void set_error(const char* name, PyObject* fallback, const char* message) {
    PyObject* const module = PyImport_ImportModule("edgeemo.errors");
    PyObject* const type = module == nullptr ? nullptr : PyObject_GetAttrString(module, name);
    if (type == nullptr) PyErr_Clear();
    // a path in the message need not be UTF-8
    PyObject* const text =
        PyUnicode_DecodeUTF8(message, static_cast<Py_ssize_t>(std::strlen(message)), "surrogateescape");
    if (text != nullptr) PyErr_SetObject(type == nullptr ? fallback : type, text);
    Py_XDECREF(text);
    Py_XDECREF(type);
    Py_XDECREF(module);
}

template <class Error>
bool is_of(const std::exception& error, const char* name, PyObject* fallback) {
    if (dynamic_cast<const Error*>(&error) == nullptr) return false;
    set_error(name, fallback, error.what());
    return true;
}

void translate(std::exception_ptr pending) {
    try {
        if (pending) std::rethrow_exception(pending);
    } catch (const py::builtin_exception&) {
        throw;
    } catch (const std::exception& e) {  // subclasses stand before their bases
        const bool ours =
            is_of<edgeemo::SpecError>(e, "SpecError", PyExc_ValueError) ||
            is_of<edgeemo::InputError>(e, "InputError", PyExc_ValueError) ||
            is_of<edgeemo::RuntimeUnavailableError>(e, "RuntimeUnavailableError", PyExc_ImportError) ||
            is_of<edgeemo::InferenceError>(e, "InferenceError", PyExc_RuntimeError) ||
            is_of<edgeemo::DelegateError>(e, "DelegateError", PyExc_RuntimeError) ||
            is_of<edgeemo::BundleNotFoundError>(e, "BundleNotFoundError", PyExc_FileNotFoundError) ||
            is_of<edgeemo::BundleCorruptError>(e, "BundleCorruptError", PyExc_RuntimeError) ||
            is_of<edgeemo::BundleVersionError>(e, "BundleVersionError", PyExc_RuntimeError) ||
            is_of<edgeemo::BundleMismatchError>(e, "BundleMismatchError", PyExc_RuntimeError) ||
            is_of<edgeemo::BundleError>(e, "BundleError", PyExc_RuntimeError);
        if (!ours) throw;
    }
}

}  // namespace

void raise_spec_error(const std::string& message) {
    set_error("SpecError", PyExc_ValueError, message.c_str());
    throw py::error_already_set();
}

void raise_input_type_error(const std::string& message) {
    set_error("InputTypeError", PyExc_TypeError, message.c_str());
    throw py::error_already_set();
}

void raise_expected(const char* what, py::handle got, const char* remedy) {
    raise_input_type_error(std::string("expected ") + what + ", got " + type_name(got) + "; " + remedy);
}

std::string type_name(py::handle object) { return Py_TYPE(object.ptr())->tp_name; }

void bind_errors(py::module_&) { py::register_local_exception_translator(translate); }
