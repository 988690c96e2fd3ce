#include "results.h"

#include <pybind11/numpy.h>

#include <algorithm>
#include <array>

namespace py = pybind11;

namespace {

constexpr std::array<const char*, 5> kKinds{"", "clip", "span", "utterance", "partial"};

// Names of fields, made once: a dict finds them by identity.
struct Names {
    py::str scores = intern("scores"), probabilities = intern("probabilities"), valence = intern("valence"),
            arousal = intern("arousal"), evidence = intern("evidence"), truncated = intern("truncated"),
            start_ms = intern("start_ms"), end_ms = intern("end_ms"), face = intern("face"),
            track_id = intern("track_id"), kind = intern("kind"), source = intern("source"),
            burst_probabilities = intern("burst_probabilities"), burst_scores = intern("burst_scores"),
            burst_valence = intern("burst_valence"), burst_arousal = intern("burst_arousal");

    static py::str intern(const char* name) {
        return py::reinterpret_steal<py::str>(PyUnicode_InternFromString(name));
    }
};

const Names& names() {
    static const Names* const all = new Names;  // never freed: Python may end before we do
    return *all;
}

py::object read_only(const float* values, std::size_t n) {
    py::array_t<float> array(static_cast<py::ssize_t>(n));
    std::copy_n(values, n, array.mutable_data());
    py::detail::array_proxy(array.ptr())->flags &= ~py::detail::npy_api::NPY_ARRAY_WRITEABLE_;
    return std::move(array);
}

void set(py::dict& fields, const py::str& name, const py::object& value) {
    if (PyDict_SetItem(fields.ptr(), name.ptr(), value.ptr()) != 0) throw py::error_already_set();
}

void set_bursts(py::dict& fields, const edgeemo::Bursts& bursts) {
    const Names& n = names();
    set(fields, n.burst_probabilities, read_only(bursts.probabilities.data(), bursts.probabilities.size()));
    set(fields, n.burst_scores, read_only(bursts.scores.data(), bursts.scores.size()));
    set(fields, n.burst_valence, py::float_(static_cast<double>(bursts.valence)));
    set(fields, n.burst_arousal, py::float_(static_cast<double>(bursts.arousal)));
}

}  // namespace

ResultMaker ResultMaker::of_stream(const py::object& source) const {
    auto constants = py::reinterpret_steal<py::dict>(PyDict_Copy(constants_.ptr()));
    set(constants, names().source, source);
    return {type_, constants};
}

py::object ResultMaker::operator()(const edgeemo::Result& result) const {
    const Names& n = names();
    auto fields = py::reinterpret_steal<py::dict>(PyDict_Copy(constants_.ptr()));
    if (!fields) throw py::error_already_set();
    set(fields, n.scores, read_only(result.scores.data(), result.scores.size()));
    set(fields, n.probabilities, read_only(result.probabilities.data(), result.probabilities.size()));
    set(fields, n.valence, py::float_(static_cast<double>(result.valence)));
    set(fields, n.arousal, py::float_(static_cast<double>(result.arousal)));
    set(fields, n.evidence, py::float_(result.evidence));
    if (result.truncated) set(fields, n.truncated, py::bool_(true));
    if (result.start_ms != 0) set(fields, n.start_ms, py::int_(result.start_ms));
    if (result.end_ms != 0) set(fields, n.end_ms, py::int_(result.end_ms));
    if (result.kind != edgeemo::ResultKind::none)
        set(fields, n.kind, py::str(kKinds[static_cast<std::size_t>(result.kind)]));
    if (!result.bursts.probabilities.empty()) set_bursts(fields, result.bursts);
    if (result.face) set(fields, n.face, py::cast(*result.face));
    if (result.track_id != 0) set(fields, n.track_id, py::int_(result.track_id));
    auto* const type = reinterpret_cast<PyTypeObject*>(type_.ptr());
    auto made = py::reinterpret_steal<py::object>(PyType_GenericNew(type, nullptr, nullptr));
    if (!made || PyObject_GenericSetDict(made.ptr(), fields.ptr(), nullptr) != 0)
        throw py::error_already_set();
    return made;
}
