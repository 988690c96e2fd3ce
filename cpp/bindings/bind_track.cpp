#include <pybind11/stl.h>

#include <string>

#include "bindings.h"
#include "edgeemo/track.h"
#include "pictures.h"
#include "spec_binding.h"

namespace py = pybind11;
using edgeemo::Track;
using edgeemo::TrackerSpec;

namespace {

// Every field, sorted by name.
struct Fields {
    static constexpr const char* name = "TrackerSpec";

    template <class Spec, class Visit>
    static void visit(Spec& s, Visit&& field) {
        field("agility", s.agility, "Share of the newest motion in the velocity, 0 (none is kept) to 1.");
        field("least_hits", s.least_hits, "Times a face is seen until it is confirmed, 1 to 100.");
        field("least_overlap", s.least_overlap, "Intersection over union with the expected box, 0 to 1; or");
        field("most_distance", s.most_distance, "Distance of the middles over the mean side, 0 to 10.");
        field("most_gap_ms", s.most_gap_ms, "A track not seen for longer ends, 0 to 60000.");
        field("most_growth", s.most_growth, "Ratio of the sides that is still the same face, 1 to 10.");
    }
};

std::string repr(const Track& t) {
    return "Track(id=" + std::to_string(t.id) + ", face=" + std::string(py::repr(py::cast(t.face))) +
           ", first_ms=" + std::to_string(t.first_ms) + ", seen_ms=" + std::to_string(t.seen_ms) +
           ", hits=" + std::to_string(t.hits) + ", confirmed=" + (t.confirmed ? "True" : "False") + ")";
}

}  // namespace

void bind_track(py::module_& m) {
    specs::Binding<TrackerSpec, Fields>::bind(m, "When a face is one seen before: a read-only value.");
    py::class_<Track>(m, "Track", "One face over time, as it was after a frame; a read-only value.")
        .def_readonly("id", &Track::id, "From 1, never given twice.")
        .def_readonly("face", &Track::face, "As last found; while it is not, where it is expected.")
        .def_readonly("first_ms", &Track::first_ms, "When it was first found.")
        .def_readonly("seen_ms", &Track::seen_ms, "When it was last found.")
        .def_readonly("hits", &Track::hits, "Frames in which it was found.")
        .def_readonly("confirmed", &Track::confirmed, "Found least_hits times.")
        .def("__repr__", &repr);
}
