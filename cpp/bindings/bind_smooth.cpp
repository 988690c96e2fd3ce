#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <mutex>
#include <string>
#include <vector>

#include "bindings.h"
#include "edgeemo/errors.h"
#include "edgeemo/smooth.h"
#include "errors.h"

namespace py = pybind11;

namespace {

// Threads that share a smoother by mistake wait for each other.
struct Smoother {
    Smoother(std::size_t size, double time_ms) : smoother(size, time_ms) {}

    edgeemo::Smoother smoother;
    std::mutex mutex;
};

py::tuple update(Smoother& s, std::int64_t key, const py::object& object, double evidence,
                 std::int64_t t_ms) {
    const std::string expected = "(" + std::to_string(s.smoother.size()) + ",)";
    if (!py::isinstance<py::array_t<float>>(object)) {
        raise_expected(("a float32 array " + expected).c_str(), object, "pass a row as the model gave it");
    }
    const auto row = py::reinterpret_borrow<py::array_t<float>>(object);
    if (row.ndim() != 1 || row.shape(0) != static_cast<py::ssize_t>(s.smoother.size()) ||
        (row.flags() & py::array::c_style) == 0) {
        throw edgeemo::InputError("a row must be contiguous and have the shape " + expected);
    }
    py::array_t<float> mean(row.shape(0));
    const float* const from = row.data();
    float* const to = mean.mutable_data();
    double said = 0.0;
    {
        py::gil_scoped_release unlocked;
        const std::lock_guard<std::mutex> lock(s.mutex);
        said = s.smoother.update(key, from, evidence, t_ms, to);
    }
    return py::make_tuple(std::move(mean), said);
}

void keep(Smoother& s, const std::vector<std::int64_t>& keys) {
    py::gil_scoped_release unlocked;
    const std::lock_guard<std::mutex> lock(s.mutex);
    s.smoother.keep(keys);
}

void reset(Smoother& s) {
    py::gil_scoped_release unlocked;
    const std::lock_guard<std::mutex> lock(s.mutex);
    s.smoother.reset();
}

}  // namespace

void bind_smooth(py::module_& m) {
    py::class_<Smoother>(m, "Smoother", "Rows of numbers steadied over time: a running mean a track.")
        .def(py::init<std::size_t, double>(), py::arg("size"), py::arg("time_ms"),
             "Raises SpecError for a size outside 1 … 1e6, or a time_ms outside 0 … 60000.")
        .def_property_readonly("size", [](const Smoother& s) { return s.smoother.size(); })
        .def_property_readonly("time_ms", [](const Smoother& s) { return s.smoother.time_ms(); })
        .def("update", &update, py::arg("key"), py::arg("row"), py::arg("evidence"), py::arg("t_ms"),
             "Take in a row of a track: (mean so far, mean evidence).\n"
             "Raises InputError for numbers that are not finite, evidence outside 0 … 1, or a time before "
             "the last one.")
        .def("keep", &keep, py::arg("keys"), "Forget all other tracks.")
        .def("reset", &reset, "Equals a fresh smoother.")
        .def("__len__", [](const Smoother& s) { return s.smoother.tracks(); });
}
