#include <pybind11/stl.h>

#include <mutex>
#include <string>
#include <vector>

#include "bindings.h"
#include "edgeemo/track.h"
#include "errors.h"
#include "pictures.h"
#include "spec_binding.h"

namespace py = pybind11;
using edgeemo::Face;
using edgeemo::FaceTracker;
using edgeemo::Track;
using edgeemo::TrackerSpec;

namespace {

// Every field, sorted by name.
struct TrackerFields {
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

// Threads that share a tracker by mistake wait for each other.
struct Tracker {
    explicit Tracker(const TrackerSpec& spec) : tracker(spec) {}

    FaceTracker tracker;
    std::mutex mutex;
};

std::vector<Track> update_tracks(Tracker& t, const py::object& objects, const py::object& time) {
    const std::vector<Face> faces = to_faces(objects);
    const std::int64_t t_ms = to_ms(time);
    py::gil_scoped_release unlocked;
    const std::lock_guard<std::mutex> lock(t.mutex);
    return t.tracker.update(faces, t_ms);
}

void reset_tracker(Tracker& t) {
    py::gil_scoped_release unlocked;
    const std::lock_guard<std::mutex> lock(t.mutex);
    t.tracker.reset();
}

std::string track_repr(const Track& t) {
    return "Track(id=" + std::to_string(t.id) + ", face=" + std::string(py::repr(py::cast(t.face))) +
           ", first_ms=" + std::to_string(t.first_ms) + ", seen_ms=" + std::to_string(t.seen_ms) +
           ", hits=" + std::to_string(t.hits) + ", confirmed=" + (t.confirmed ? "True" : "False") + ")";
}

}  // namespace

void bind_track(py::module_& m) {
    specs::Binding<TrackerSpec, TrackerFields>::bind(m, "When a face is one seen before: a read-only value.");
    py::class_<Track>(m, "Track", "One face over time, as it was after a frame; a read-only value.")
        .def_readonly("id", &Track::id, "From 1, never given twice.")
        .def_readonly("face", &Track::face, "As last found; while it is not, where it is expected.")
        .def_readonly("first_ms", &Track::first_ms, "When it was first found.")
        .def_readonly("seen_ms", &Track::seen_ms, "When it was last found.")
        .def_readonly("hits", &Track::hits, "Frames in which it was found.")
        .def_readonly("confirmed", &Track::confirmed, "Found least_hits times.")
        .def("__repr__", &track_repr);
    py::class_<Tracker>(m, "FaceTracker",
                        "Keeps identities over the frames of one camera or video; deterministic.\n\n"
                        "A face is expected where it would be had it gone on as it went.")
        .def(py::init<const TrackerSpec&>(), py::arg("spec"))
        .def_property_readonly(
            "spec", [](const Tracker& t) { return t.tracker.spec(); }, "The TrackerSpec.")
        .def("update", &update_tracks, py::arg("faces"), py::arg("t_ms"),
             "All live tracks by id; those found in this frame have seen_ms == t_ms.\n"
             "Raises InputError for a time before the last one, or a box with NaN or without area.")
        .def("reset", &reset_tracker, "Equals a fresh tracker.");
}
