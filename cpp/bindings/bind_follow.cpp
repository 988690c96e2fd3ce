#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <string>
#include <vector>

#include "arguments.h"
#include "bindings.h"
#include "edgeemo/errors.h"
#include "edgeemo/fit.h"
#include "edgeemo/follow.h"
#include "locked.h"

namespace py = pybind11;
using edgeemo::Face;
using edgeemo::FaceFollower;
using edgeemo::FaceFrontend;
using edgeemo::Fit;
using edgeemo::Followed;
using edgeemo::Track;

namespace {

using Follower = Locked<FaceFollower>;

std::string track_repr(const Track& t) {
    return "Track(id=" + std::to_string(t.id) + ", face=" + std::string(py::repr(py::cast(t.face))) +
           ", first_ms=" + std::to_string(t.first_ms) + ", seen_ms=" + std::to_string(t.seen_ms) +
           ", hits=" + std::to_string(t.hits) + ", confirmed=" + (t.confirmed ? "True" : "False") + ")";
}

std::size_t size_of(Follower& f) {
    return f.with([](const FaceFollower& follower) { return follower.size(); });
}

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
    const std::size_t size = size_of(f);
    const py::array_t<float> rows = to_rows(numbers, faces.size(), size);
    const std::int64_t t_ms = to_ms(time);
    const float* const from = rows.data();
    std::vector<float> means;
    const std::vector<Followed> followed = f.with([&](FaceFollower& follower) {
        std::vector<Followed> all = follower.update(faces, from, t_ms);
        for (const Followed& one : all) means.insert(means.end(), one.row, one.row + size);
        return all;
    });
    py::list results;
    for (std::size_t i = 0; i < followed.size(); ++i) {
        py::array_t<float> mean(static_cast<py::ssize_t>(size));
        std::copy_n(means.data() + i * size, size, mean.mutable_data());
        results.append(py::make_tuple(followed[i].track, std::move(mean), followed[i].evidence));
    }
    return results;
}

void bind_fit(py::module_& m) {
    m.attr("CROP_OVER_BOX") = Fit{}.over_box;
    m.attr("CROP_DOWN") = Fit{}.down;
    m.def("usable", &edgeemo::usable, py::arg("face"), py::arg("width"), py::arg("height"),
          "Whether a found face can be read: with a score, a pixel in size, its middle in the picture.");
    py::reinterpret_borrow<py::class_<FaceFrontend>>(m.attr("FaceFrontend"))
        .def(
            "fitted",
            [](const FaceFrontend& self, const Face& face, double over_box, double down) {
                return edgeemo::fitted(self, face, {over_box, down});
            },
            py::arg("face"), py::arg("over_box"), py::arg("down"),
            "The crop of a found face: its box, turned as the eyes are if they say how, then fitted.\n"
            "Raises InputError for a box that cannot be cut.")
        .def(
            "given",
            [](const FaceFrontend& self, const py::object& box) { return edgeemo::given(self, to_box(box)); },
            py::arg("box"),
            "The face of a box, certain; its eyes are where an upright face in this box would have them.\n"
            "Raises InputError for a box that cannot be cut.");
}

}  // namespace

// Product code does not use FaceFollower and Track from Python. The names stay, because edgeemo.faces exports
// the classes. The tests give the follower faces and rows that a small model cannot give.
void bind_follow(py::module_& m) {
    bind_fit(m);
    py::class_<Track>(m, "Track", "One face over time, after a frame; a read-only value.")
        .def_readonly("id", &Track::id, "From 1, never given twice.")
        .def_readonly("face", &Track::face, "Where the face was last found, or is expected while hidden.")
        .def_readonly("first_ms", &Track::first_ms, "When the face was first found.")
        .def_readonly("seen_ms", &Track::seen_ms, "When the face was last found.")
        .def_readonly("hits", &Track::hits, "Frames that showed the face.")
        .def_readonly("confirmed", &Track::confirmed, "Found least_hits times.")
        .def("__repr__", &track_repr);
    m.attr("SMOOTH_MS") = edgeemo::kSmoothMs;
    py::class_<Follower>(m, "FaceFollower",
                         "The faces of one camera or video over time: a track and smoothed numbers for each.")
        .def(py::init<std::size_t, double, const edgeemo::TrackerSpec&>(), py::arg("size"),
             py::arg("smooth_ms"), py::arg("tracker"), "Rows of `size` numbers. Raises SpecError.")
        .def_property_readonly("size", &size_of)
        .def("update", &update_follower, py::arg("faces"), py::arg("rows"), py::arg("t_ms"),
             "Take the faces of a frame, a row a face: (track, mean, evidence) of each confirmed track.\n"
             "Raises InputError for times, boxes and rows that are not usable, and then has not changed.")
        .def(
            "reset", [](Follower& f) { f.with([](FaceFollower& follower) { follower.reset(); }); },
            "Make the follower equal a new one.")
        .def("__len__", [](Follower& f) {
            return f.with([](const FaceFollower& follower) { return follower.tracks(); });
        });
}
