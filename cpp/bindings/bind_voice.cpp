#include <pybind11/numpy.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "arguments.h"
#include "bindings.h"
#include "edgeemo/errors.h"
#include "edgeemo/voice.h"
#include "locked.h"

namespace py = pybind11;
using edgeemo::Pcm;
using edgeemo::Span;
using edgeemo::VoiceFrontend;
using edgeemo::VoiceSpec;
using edgeemo::VoiceStream;

namespace {

// Spans of one call, as they come.
struct Collected {
    std::vector<float> features;
    std::vector<std::int64_t> starts;
    std::vector<std::int32_t> n_frames;
};

struct Spans {
    py::array_t<float> features;
    py::array_t<std::int64_t> start_frames;
    py::array_t<std::int32_t> n_frames;

    Spans(const VoiceSpec& spec, const Collected& all)
        : features({static_cast<py::ssize_t>(all.starts.size()), static_cast<py::ssize_t>(spec.span_frames),
                    static_cast<py::ssize_t>(spec.mels)}),
          start_frames(static_cast<py::ssize_t>(all.starts.size())),
          n_frames(static_cast<py::ssize_t>(all.starts.size())) {
        std::copy(all.features.begin(), all.features.end(), features.mutable_data());
        std::copy(all.starts.begin(), all.starts.end(), start_frames.mutable_data());
        std::copy(all.n_frames.begin(), all.n_frames.end(), n_frames.mutable_data());
    }
};

// The spans that `work(sink)` hands over; `work` must release the GIL.
template <class Work>
Spans collect(const VoiceSpec& spec, const Work& work) {
    Collected all;
    const auto size = static_cast<std::size_t>(spec.span_frames) * static_cast<std::size_t>(spec.mels);
    work([&](const Span& span) {
        all.features.insert(all.features.end(), span.features, span.features + size);
        all.starts.push_back(span.start_frame);
        all.n_frames.push_back(span.n_frames);
    });
    return Spans(spec, all);
}

struct Stream {
    Stream(const VoiceFrontend& frontend, std::int32_t rate_hz, std::int32_t channels)
        : spec(frontend.spec()), state(frontend.stream(rate_hz, channels)) {}

    VoiceSpec spec;
    Locked<VoiceStream> state;
};

py::array_t<float> frames(const VoiceFrontend& frontend, const py::object& object, const py::object& rate) {
    const Pcm pcm = to_pcm(object);
    const std::int32_t rate_hz = to_int("rate_hz", rate);
    const auto n = static_cast<py::ssize_t>(frontend.count_frames(pcm.samples, rate_hz));
    py::array_t<float> out({n, static_cast<py::ssize_t>(frontend.spec().mels)});
    float* const to = out.mutable_data();
    py::gil_scoped_release unlocked;
    frontend.frames(pcm, rate_hz, to);
    return out;
}

Spans compute(const VoiceFrontend& frontend, const py::object& object, const py::object& rate) {
    const Pcm pcm = to_pcm(object);
    const std::int32_t rate_hz = to_int("rate_hz", rate);
    return collect(frontend.spec(), [&](const auto& sink) {
        const py::gil_scoped_release unlocked;
        frontend.compute(pcm, rate_hz, sink);
    });
}

std::unique_ptr<Stream> open(const VoiceFrontend& frontend, const py::object& rate,
                             const py::object& channels) {
    const std::int32_t rate_hz = to_int("rate_hz", rate), n = to_int("channels", channels);
    py::gil_scoped_release unlocked;
    return std::make_unique<Stream>(frontend, rate_hz, n);
}

Spans push(Stream& stream, const py::object& object) {
    const Pcm pcm = to_pcm(object);
    return collect(stream.spec,
                   [&](const auto& sink) { stream.state.with([&](VoiceStream& s) { s.push(pcm, sink); }); });
}

Spans flush(Stream& stream) {
    return collect(stream.spec,
                   [&](const auto& sink) { stream.state.with([&](VoiceStream& s) { s.flush(sink); }); });
}

// A property that calls a member function of the stream.
template <class Value>
auto property(Value (VoiceStream::*get)() const) {
    return [get](Stream& stream) {
        return stream.state.with([get](const VoiceStream& s) { return (s.*get)(); });
    };
}

void bind_spans(py::module_& m) {
    py::class_<Spans>(m, "Spans", "The frames that a model sees, span after span.")
        .def_property_readonly(
            "features", [](const Spans& s) { return s.features; },
            "float32 (n, span_frames, mels); frames beyond n_frames are 0.")
        .def_property_readonly(
            "start_frames", [](const Spans& s) { return s.start_frames; },
            "int64 (n,): first frame of each, from the start of the clip or stream.")
        .def_property_readonly(
            "n_frames", [](const Spans& s) { return s.n_frames; },
            "int32 (n,): real frames in each, 1 to span_frames.")
        .def("__len__", [](const Spans& s) { return s.start_frames.size(); })
        .def("__repr__",
             [](const Spans& s) { return "Spans(n=" + std::to_string(s.start_frames.size()) + ")"; });
}

void bind_stream(py::module_& m) {
    py::class_<Stream>(m, "VoiceStream",
                       "The state of one input; made by VoiceFrontend.stream.\n\n"
                       "Any chunks, then flush, give the spans of the whole, bit for bit.")
        .def("push", &push, py::arg("chunk"),
             "The spans that became whole with this chunk (like pcm of compute; may be empty).\n"
             "Raises as compute does, for other channels and after flush; then nothing has changed.")
        .def("flush", &flush,
             "The spans that the whole clip has beyond those so far. After flush, only reset is allowed.")
        .def(
            "reset", [](Stream& stream) { stream.state.with([](VoiceStream& s) { s.reset(); }); },
            "Equals a fresh stream.")
        .def_property_readonly("n_frames", property(&VoiceStream::n_frames), "Frames so far.")
        .def_property_readonly("rate_hz", property(&VoiceStream::rate_hz), "Rate of the chunks.")
        .def_property_readonly("channels", property(&VoiceStream::channels), "Channels of the chunks.");
}

}  // namespace

void bind_voice(py::module_& m) {
    bind_spans(m);
    bind_stream(m);
    py::class_<VoiceFrontend>(
        m, "VoiceFrontend",
        "From PCM to log-mel spans: immutable, thread-safe, without the GIL while it works.\n\n"
        "pcm: contiguous int16 (divided by 32768) or float32 in ±1 (up to ±8 passes). The shape is\n"
        "(samples,) or (samples, channels); at most 32 channels are averaged.\n"
        "rate_hz: 8000 to 192000. Raises InputTypeError for another dtype, InputError for NaN,\n"
        "infinities, values beyond ±8, and other shapes, rates or channels.")
        .def(py::init<const VoiceSpec&>(), py::arg("spec"))
        .def_property_readonly(
            "spec", [](const VoiceFrontend& f) { return f.spec(); }, "The VoiceSpec.")
        .def("frames", &frames, py::arg("pcm"), py::arg("rate_hz"),
             "The frames of a clip before normalisation: float32 (n, mels).")
        .def("compute", &compute, py::arg("pcm"), py::arg("rate_hz"), "The Spans of a clip.")
        .def("stream", &open, py::arg("rate_hz"), py::arg("channels") = 1, "A fresh VoiceStream.");
}
