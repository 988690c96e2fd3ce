#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <mutex>
#include <string>
#include <vector>

#include "bindings.h"
#include "edgeemo/errors.h"
#include "edgeemo/follow.h"
#include "errors.h"
#include "pictures.h"

namespace py = pybind11;
using edgeemo::Face;
using edgeemo::FaceFollower;
using edgeemo::Followed;

namespace {

// Threads that share a follower by mistake wait for each other.
struct Follower {
    Follower(std::size_t size, double smooth_ms, const edgeemo::TrackerSpec& tracker)
        : follower(size, smooth_ms, tracker) {}

    FaceFollower follower;
    std::mutex mutex;
};

py::array_t<float> to_rows(const py::object& object, std::size_t n, std::size_t size) {
    const std::string expected = "(" + std::to_string(n) + ", " + std::to_string(size) + ")";
    if (!py::isinstance<py::array_t<float>>(object))
        raise_expected(("a float32 array " + expected).c_str(), object, "pass a row a face");
    const auto rows = py::reinterpret_borrow<py::array_t<float>>(object);
    const bool fits = rows.ndim() == 2 && rows.shape(0) == static_cast<py::ssize_t>(n) &&
                      rows.shape(1) == static_cast<py::ssize_t>(size) &&
                      (rows.flags() & py::array::c_style) != 0;
    if (!fits) throw edgeemo::InputError("rows must be contiguous and have the shape " + expected);
    return rows;
}

py::list update_follower(Follower& f, const py::object& objects, const py::object& numbers,
                         const py::object& time) {
    const std::vector<Face> faces = to_faces(objects);
    const std::size_t size = f.follower.size();
    const py::array_t<float> rows = to_rows(numbers, faces.size(), size);
    const std::int64_t t_ms = to_ms(time);
    const float* const from = rows.data();
    std::vector<Followed> followed;
    std::vector<float> means;
    {
        py::gil_scoped_release unlocked;
        const std::lock_guard<std::mutex> lock(f.mutex);
        followed = f.follower.update(faces, from, t_ms);
        for (const Followed& one : followed) means.insert(means.end(), one.row, one.row + size);
    }
    py::list said;
    for (std::size_t i = 0; i < followed.size(); ++i) {
        py::array_t<float> mean(static_cast<py::ssize_t>(size));
        std::copy_n(means.data() + i * size, size, mean.mutable_data());
        said.append(py::make_tuple(followed[i].track, std::move(mean), followed[i].evidence));
    }
    return said;
}

void reset_follower(Follower& f) {
    py::gil_scoped_release unlocked;
    const std::lock_guard<std::mutex> lock(f.mutex);
    f.follower.reset();
}

}  // namespace

void bind_follow(py::module_& m) {
    m.attr("SMOOTH_MS") = edgeemo::kSmoothMs;
    py::class_<Follower>(
        m, "FaceFollower",
        "The faces of one camera or video, followed and steadied: a FaceTracker and a mean a "
        "track.")
        .def(py::init<std::size_t, double, const edgeemo::TrackerSpec&>(), py::arg("size"),
             py::arg("smooth_ms"), py::arg("tracker"), "Rows of `size` numbers. Raises SpecError.")
        .def_property_readonly("size", [](const Follower& f) { return f.follower.size(); })
        .def("update", &update_follower, py::arg("faces"), py::arg("rows"), py::arg("t_ms"),
             "Take what a frame says, a row a face: (track, mean, evidence) of each confirmed track.\n"
             "Raises InputError like FaceTracker.update, and then has not changed.")
        .def("reset", &reset_follower, "Equals a fresh one.")
        .def("__len__", [](const Follower& f) { return f.follower.tracks(); });
}
