#include <pybind11/stl.h>

#include <string>

#include "arguments.h"
#include "bindings.h"
#include "edgeemo/track.h"

namespace py = pybind11;
using edgeemo::Track;

namespace {

std::string repr(const Track& t) {
    return "Track(id=" + std::to_string(t.id) + ", face=" + std::string(py::repr(py::cast(t.face))) +
           ", first_ms=" + std::to_string(t.first_ms) + ", seen_ms=" + std::to_string(t.seen_ms) +
           ", hits=" + std::to_string(t.hits) + ", confirmed=" + (t.confirmed ? "True" : "False") + ")";
}

}  // namespace

// Product code does not use Track from Python. The name stays, because edgeemo.faces exports the class.
void bind_track(py::module_& m) {
    py::class_<Track>(m, "Track", "One face over time, after a frame; a read-only value.")
        .def_readonly("id", &Track::id, "From 1, never given twice.")
        .def_readonly("face", &Track::face, "Where the face was last found, or is expected while hidden.")
        .def_readonly("first_ms", &Track::first_ms, "When the face was first found.")
        .def_readonly("seen_ms", &Track::seen_ms, "When the face was last found.")
        .def_readonly("hits", &Track::hits, "Frames that showed the face.")
        .def_readonly("confirmed", &Track::confirmed, "Found least_hits times.")
        .def("__repr__", &repr);
}
