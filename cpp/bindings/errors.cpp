#include "errors.h"

#include "bindings.h"
#include "edgeemo/errors.h"

namespace py = pybind11;

namespace {

void set_error(const char* name, PyObject* fallback, const char* message) {
    PyObject* const module = PyImport_ImportModule("edgeemo.errors");
    PyObject* const type = module == nullptr ? nullptr : PyObject_GetAttrString(module, name);
    if (type == nullptr) PyErr_Clear();
    PyErr_SetString(type == nullptr ? fallback : type, message);
    Py_XDECREF(type);
    Py_XDECREF(module);
}

void translate(std::exception_ptr pending) {
    try {
        if (pending) std::rethrow_exception(pending);
    } catch (const edgeemo::SpecError& e) {
        set_error("SpecError", PyExc_ValueError, e.what());
    } catch (const edgeemo::InputError& e) {
        set_error("InputError", PyExc_ValueError, e.what());
    } catch (const edgeemo::RuntimeUnavailableError& e) {
        set_error("RuntimeUnavailableError", PyExc_ImportError, e.what());
    } catch (const edgeemo::InferenceError& e) {
        set_error("InferenceError", PyExc_RuntimeError, e.what());
    } catch (const edgeemo::DelegateError& e) {
        set_error("DelegateError", PyExc_RuntimeError, e.what());
    } catch (const edgeemo::BundleNotFoundError& e) {
        set_error("BundleNotFoundError", PyExc_FileNotFoundError, e.what());
    } catch (const edgeemo::BundleCorruptError& e) {
        set_error("BundleCorruptError", PyExc_RuntimeError, e.what());
    } catch (const edgeemo::BundleVersionError& e) {
        set_error("BundleVersionError", PyExc_RuntimeError, e.what());
    } catch (const edgeemo::BundleMismatchError& e) {
        set_error("BundleMismatchError", PyExc_RuntimeError, e.what());
    } catch (const edgeemo::BundleError& e) {
        set_error("BundleError", PyExc_RuntimeError, e.what());
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
