#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arguments.h"
#include "bindings.h"
#include "edgeemo/detector.h"
#include "edgeemo/errors.h"
#include "edgeemo/recognizer.h"
#include "finder.h"
#include "locked.h"
#include "python_runner.h"
#include "results.h"

namespace py = pybind11;
using edgeemo::Face;
using edgeemo::Result;

namespace {

Result& scratch() {
    thread_local Result own;
    return own;
}

struct Recognizer {
    edgeemo::Recognizer recognizer;
    ResultMaker make;
};

py::list list_of(const std::vector<Result>& results, const ResultMaker& make) {
    py::list all;
    for (const Result& result : results) all.append(make(result));
    return all;
}

// All state of one voice or camera.
template <class Of>
struct Stream {
    Stream(Of stream, ResultMaker maker) : of(std::move(stream)), make(std::move(maker)) {}

    // Calls work(stream), then takes the results that wait.
    template <class Work>
    py::list results_after(const Work& work) {
        const std::vector<Result> taken = of.with([&](Of& stream) {
            std::vector<Result> all;
            work(stream);
            while (stream.next(scratch())) all.push_back(scratch());
            return all;
        });
        return list_of(taken, make);
    }

    Locked<Of> of;
    ResultMaker make;
};

using Voice = Stream<edgeemo::VoiceListener>;
using Faces = Stream<edgeemo::FaceWatcher>;

// Calls work(result) without the GIL and makes a value of the result.
template <class Work>
py::object predicted(const Recognizer& self, const Work& work) {
    Result& result = scratch();
    {
        py::gil_scoped_release unlocked;
        work(self.recognizer, result);
    }
    return self.make(result);
}

py::object predict_text(const Recognizer& self, const py::object& object) {
    const Text text(object, "pass one text at a time");
    return predicted(self, [&](const auto& r, Result& out) { r.predict_text(text.bytes, out); });
}

py::object predict_pcm(const Recognizer& self, const py::object& pcm, const py::object& rate) {
    const edgeemo::Pcm samples = to_pcm(pcm);
    const std::int32_t rate_hz = to_int("rate_hz", rate);
    return predicted(self, [&](const auto& r, Result& out) { r.predict_pcm(samples, rate_hz, out); });
}

py::list timeline(const Recognizer& self, const py::object& pcm, const py::object& rate) {
    const edgeemo::Pcm samples = to_pcm(pcm);
    const std::int32_t rate_hz = to_int("rate_hz", rate);
    std::vector<Result> all;
    {
        py::gil_scoped_release unlocked;
        self.recognizer.predict_pcm(samples, rate_hz, scratch(), [&](const Result& r) { all.push_back(r); });
    }
    return list_of(all, self.make);
}

py::list utterances(const Recognizer& self, const py::object& pcm, const py::object& rate,
                    const edgeemo::VoiceStreamSpec& spec) {
    const edgeemo::Pcm samples = to_pcm(pcm);
    const std::int32_t rate_hz = to_int("rate_hz", rate);
    std::vector<Result> all;
    {
        py::gil_scoped_release unlocked;
        self.recognizer.utterances(samples, rate_hz, [&](const Result& r) { all.push_back(r); }, spec);
    }
    return list_of(all, self.make);
}

py::object predict_front(const Recognizer& self, const py::object& image, const py::object& color) {
    const CallersPicture callers(image, color);
    const edgeemo::Image picture = to_image(image, color);
    return predicted(self, [&](const auto& r, Result& out) { r.predict_front(picture, out); });
}

// The faces of a picture, read one by one: as they are found, or as they are given.
py::list predict_faces(const Recognizer& self, const py::object& image, const py::object& color,
                       const std::optional<std::vector<Face>>& given) {
    const CallersPicture callers(image, color);
    const edgeemo::Image picture = to_image(image, color);
    std::vector<Result> all;
    {
        py::gil_scoped_release unlocked;
        std::vector<Face> found;
        if (!given) self.recognizer.find_faces(picture, found);
        for (const Face& face : given ? *given : found) {
            all.emplace_back();
            if (given)
                self.recognizer.predict_given(picture, face, all.back());
            else
                self.recognizer.predict_face(picture, face, all.back());
        }
    }
    return list_of(all, self.make);
}

py::dict by_stage(const edgeemo::StageTimes& times) {
    py::dict by_name;
    by_name["calls"] = times.calls;
    for (std::size_t i = 0; i < edgeemo::kStages; ++i) by_name[edgeemo::kStageNames[i]] = times.ns[i];
    return by_name;
}

std::optional<std::string> name_of(const py::object& source) {
    if (source.is_none()) return std::nullopt;
    if (!PyUnicode_Check(source.ptr())) raise_expected("a str as source", source, "name the stream");
    return std::string(Text(source).bytes);
}

// The kinds by name, as a caller asks for them.
edgeemo::VoiceResults results_of(const py::object& names) {
    edgeemo::VoiceResults told;
    told.spans = false;
    if (PyUnicode_Check(names.ptr()) || !py::isinstance<py::iterable>(names))
        raise_expected("a tuple of names as results", names, "for example (\"span\", \"utterance\")");
    for (const py::handle item : names) {
        const std::string name = py::str(item);
        if (name == "span")
            told.spans = true;
        else if (name == "utterance")
            told.utterances = true;
        else if (name == "partial")
            told.partials = true;
        else
            throw edgeemo::InputError("results has '" + name +
                                      "'; expected 'span', 'utterance' or 'partial'");
    }
    if (!told.spans && !told.utterances && !told.partials)
        throw edgeemo::InputError("results is empty; expected 'span', 'utterance' or 'partial'");
    return told;
}

std::unique_ptr<Voice> listen(const Recognizer& self, const py::object& rate, const py::object& channels,
                              const py::object& results, const py::object& source,
                              const edgeemo::VoiceStreamSpec& spec) {
    const std::int32_t rate_hz = to_int("rate_hz", rate), n = to_int("channels", channels);
    auto stream = self.recognizer.listen(rate_hz, n, results_of(results), spec);
    stream.set_source(name_of(source));
    return std::make_unique<Voice>(std::move(stream), self.make.of_stream(source));
}

std::unique_ptr<Faces> watch(const Recognizer& self, double smooth_ms, const edgeemo::TrackerSpec& tracker,
                             const py::object& source) {
    auto stream = self.recognizer.watch(smooth_ms, tracker);
    stream.set_source(name_of(source));
    return std::make_unique<Faces>(std::move(stream), self.make.of_stream(source));
}

py::list push_pcm(Voice& voice, const py::object& chunk, const py::object& time) {
    if (py::isinstance<py::array>(chunk) && py::reinterpret_borrow<py::array>(chunk).size() == 0)
        return py::list();
    const std::int64_t t_ms = to_ms(time);
    const edgeemo::Pcm pcm = to_pcm(chunk);
    return voice.results_after([&](edgeemo::VoiceListener& of) { of.push(pcm, t_ms); });
}

py::list push_frame(Faces& faces, const py::object& frame, const py::object& time, const py::object& color) {
    const std::int64_t t_ms = to_ms(time);
    const CallersPicture callers(frame, color);
    const edgeemo::Image image = to_image(frame, color);
    return faces.results_after([&](edgeemo::FaceWatcher& of) { of.push(image, t_ms); });
}

py::object summary(Voice& voice) {
    Result& result = scratch();
    voice.of.with([&](const edgeemo::VoiceListener& of) { of.summary(result); });
    return voice.make(result);
}

void bind_streams(py::module_& m) {
    py::class_<Voice>(m, "VoiceListener", "All state of one voice; made by Recognizer.listen.")
        .def("push", &push_pcm, py::arg("chunk"), py::arg("t_ms"), "The results that became known.")
        .def(
            "flush", [](Voice& v) { return v.results_after([](edgeemo::VoiceListener& of) { of.flush(); }); },
            "The results of the samples after the last span.")
        .def(
            "mute",
            [](Voice& v, const py::object& start, const py::object& end) {
                const std::int64_t from = to_ms(start), to = to_ms(end);
                v.of.with([&](edgeemo::VoiceListener& of) { of.mute(from, to); });
            },
            py::arg("start_ms"), py::arg("end_ms"), "Take silence in the place of these samples.")
        .def("summary", &summary, "One result for all that was heard.")
        .def(
            "reset", [](Voice& v) { v.of.with([](edgeemo::VoiceListener& of) { of.reset(); }); },
            "Equals a new stream.");
    py::class_<Faces>(m, "FaceWatcher", "All state of one camera; made by Recognizer.watch.")
        .def("push", &push_frame, py::arg("frame"), py::arg("t_ms"), py::arg("color") = "rgb",
             "One result for each face that is followed.")
        .def(
            "reset", [](Faces& f) { f.of.with([](edgeemo::FaceWatcher& of) { of.reset(); }); },
            "Equals a new stream.");
}

void bind_detector(py::module_& m) {
    py::class_<edgeemo::FaceDetector, std::shared_ptr<edgeemo::FaceDetector>>(
        m, "FaceDetector", "A model that finds faces, joined with its card. Thread-safe.")
        .def(py::init([](const std::string& card, const py::object& model) {
                 return std::make_shared<edgeemo::FaceDetector>(edgeemo::read_card(card), loaded_by(model));
             }),
             py::arg("card"), py::arg("model"),
             "A card's JSON and a LoadedModel. Raises BundleMismatchError where they disagree.")
        .def(
            "detect",
            [](const edgeemo::FaceDetector& self, const py::object& image, const py::object& color) {
                const edgeemo::Image picture = to_image(image, color);
                std::vector<Face> found;
                py::gil_scoped_release unlocked;
                self.detect(picture, found);
                return found;
            },
            py::arg("image"), py::arg("color") = "rgb", "The faces of a picture, the best first.")
        .def("time_stages", &edgeemo::FaceDetector::time_stages, py::arg("on"),
             "Measure the stages of every call from now on, from zero, or no longer.")
        .def(
            "stage_times", [](const edgeemo::FaceDetector& self) { return by_stage(self.stage_times()); },
            "Nanoseconds by stage, and how many calls they are of.");
}

}  // namespace

void bind_online(py::module_& m) {
    m.attr("RESULT_SCHEMA") = edgeemo::kResultSchema;
    bind_detector(m);
    bind_streams(m);
    py::class_<Recognizer>(
        m, "Recognizer",
        "A model that recognizes, joined with its card: from raw input to results. Thread-safe.\n\n"
        "card: JSON. assets: the bundle's files by name. model: a LoadedModel. result: the class of the\n"
        "results. constants: the fields that all of them share. Raises BundleMismatchError where card and\n"
        "model disagree, SpecError for a vocabulary that cannot work.")
        .def(py::init([](const std::string& card, const py::dict& assets, const py::object& model,
                         py::object result, py::dict constants) {
                 return std::make_unique<Recognizer>(Recognizer{
                     edgeemo::Recognizer(edgeemo::read_card(card), assets_of(assets), loaded_by(model)),
                     ResultMaker(std::move(result), std::move(constants))});
             }),
             py::arg("card"), py::arg("assets"), py::arg("model"), py::arg("result"), py::arg("constants"))
        .def("predict_text", &predict_text, py::arg("text"))
        .def("predict_pcm", &predict_pcm, py::arg("pcm"), py::arg("rate_hz"))
        .def("timeline", &timeline, py::arg("pcm"), py::arg("rate_hz"), "A result for each span.")
        .def("predict_front", &predict_front, py::arg("image"), py::arg("color"),
             "The result of the face in front.")
        .def("predict_faces", &predict_faces, py::arg("image"), py::arg("color"),
             py::arg("given") = py::none(), "A result for each face found, or for each of `given`.")
        .def(
            "given_face",
            [](const Recognizer& self, const py::object& box) {
                return self.recognizer.given_face(to_box(box));
            },
            py::arg("box"), "The face of a box that a caller gives.")
        .def(
            "nobody",
            [](const Recognizer& self) {
                self.recognizer.predict_nobody(scratch());
                return self.make(scratch());
            },
            "The result for a picture without a face.")
        .def("utterances", &utterances, py::arg("pcm"), py::arg("rate_hz"), py::arg("spec"),
             "A result for each utterance of a clip.")
        .def("listen", &listen, py::arg("rate_hz"), py::arg("channels"), py::arg("results"),
             py::arg("source"), py::arg("spec"))
        .def("watch", &watch, py::arg("smooth_ms"), py::arg("tracker"), py::arg("source"))
        .def(
            "set_finder",
            [](Recognizer& self, const py::object& detector) {
                self.recognizer.set_finder(to_finder(detector));
            },
            py::arg("detector"),
            "Set the finder of faces: a FaceDetector, or an object with detect(image, color).")
        .def(
            "set_fit",
            [](Recognizer& self, double over_box, double down) { self.recognizer.set_fit({over_box, down}); },
            py::arg("over_box"), py::arg("down"), "How a box that was found becomes a crop.")
        .def(
            "time_stages", [](Recognizer& self, bool on) { self.recognizer.time_stages(on); }, py::arg("on"),
            "Measure the stages of every call from now on, from zero, or no longer.")
        .def(
            "stage_times", [](const Recognizer& self) { return by_stage(self.recognizer.stage_times()); },
            "Nanoseconds by stage, and how many calls they are of.");
}
