#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "arguments.h"
#include "bindings.h"
#include "edgeemo/delegates.h"
#include "edgeemo/golden.h"
#include "gpu/record.h"
#include "gpu/trial.h"
#include "python_runner.h"

namespace py = pybind11;

namespace {

py::array signal(const std::string& name) {
    const std::vector<std::int16_t> samples = edgeemo::golden_signal(name);
    return py::array_t<std::int16_t>(static_cast<py::ssize_t>(samples.size()), samples.data());
}

py::array drawing(const std::string& name) {
    const std::vector<std::uint8_t> pixels = edgeemo::golden_drawing(name);
    const py::ssize_t side = pixels.empty() ? 0 : edgeemo::kGoldenSide;
    return py::array_t<std::uint8_t>({side, side}, pixels.data());
}

py::tuple tuple_of(const edgeemo::Verdict& verdict) {
    return py::make_tuple(verdict.usable, verdict.ratio, verdict.reason);
}

py::tuple probe(const py::bytes& flatbuffer, const std::string& library, std::int32_t threads,
                const std::string& delegate_options, const py::object& goldens) {
    const edgeemo::ModelBytes model = hold_model(flatbuffer);
    const auto make = goldens_of(goldens);
    edgeemo::Verdict verdict;
    {
        py::gil_scoped_release unlocked;
        verdict = edgeemo::probe_gpu(model, options_of(library, threads, "gpu", delegate_options), make);
    }
    return tuple_of(verdict);
}

py::tuple read_options(const std::string& lines) {
    const edgeemo::DelegateOptions read = edgeemo::read_delegate_options(lines);
    return py::make_tuple(read.records, read.timeout_ms, read.most_ratio, read.rest);
}

// (verdict or None, whether a process that opened it died)
py::tuple recall(const std::string& folder, const std::string& key) {
    const edgeemo::Recalled found = edgeemo::recall(folder, key);
    return py::make_tuple(found.verdict ? py::object(tuple_of(*found.verdict)) : py::none(), found.died);
}

struct Opening {
    Opening(std::string in, std::string of) : folder(std::move(in)), key(std::move(of)) {}
    std::string enter() { return mark.emplace(folder, key).trouble(); }
    std::string folder, key;
    std::optional<edgeemo::Opening> mark;
};

py::tuple try_in_child(const std::vector<std::string>& command, const std::string& request,
                       std::int32_t timeout_ms, const std::string& begins) {
    edgeemo::Tried tried;
    {
        py::gil_scoped_release unlocked;
        tried = edgeemo::try_in_child(command, {{request.data(), request.size()}}, timeout_ms, begins,
                                      check_signals);
    }
    return py::make_tuple(tuple_of(tried.verdict), tried.of_delegate);
}

std::string put_on_record(const std::string& folder, const std::string& key, bool usable, double ratio,
                          const std::string& reason) {
    return edgeemo::put_on_record(folder, key, {usable, ratio, reason});
}

std::string difference(const py::object& cpu, const py::object& other,
                       const std::vector<std::string>& goldens) {
    const auto ours = loaded_by(cpu), theirs = loaded_by(other);
    std::vector<edgeemo::Golden> inputs;
    for (const std::string& golden : goldens) inputs.emplace_back(golden.begin(), golden.end());
    const py::gil_scoped_release unlocked;
    return ours->with([&](edgeemo::ModelRunner& right) {
        return theirs->with(
            [&](edgeemo::ModelRunner& given) { return edgeemo::difference(right, given, inputs); });
    });
}

}  // namespace

void bind_delegates(py::module_& m) {
    m.def("golden_signal", &signal, py::arg("name"),
          "Three seconds of int16 at 16 kHz: 'silence', 'hiss', 'low hum' or 'high hum'; empty for another "
          "name.");
    m.def("golden_drawing", &drawing, py::arg("name"),
          "A drawn face, uint8 (96, 96): 'level', 'smile', 'frown' or 'open'; empty for another name.");
    m.def("probe_gpu", &probe, py::arg("flatbuffer"), py::kw_only(), py::arg("library") = "",
          py::arg("threads") = 1, py::arg("delegate_options") = "", py::arg("goldens") = py::none(),
          "Try the GPU in a child process: (usable, time over the CPU's or 0, why not or ''). Arguments as "
          "of Engine.\n"
          "Raises InputError for options, RuntimeUnavailableError (no LiteRT).");
    m.def("read_delegate_options", &read_options, py::arg("lines"),
          "Lines 'key = value': (probe_records, probe_timeout_ms, probe_most_ratio, the other lines).\n"
          "Raises InputError.");
    m.def("record_key", &edgeemo::record_key, py::arg("folder"), py::arg("model_sha256"), py::arg("threads"),
          py::arg("options"),
          "The key of a verdict: machine, LiteRT in the folder, model, threads and options.");
    m.def(
        "drivers_at", [](const std::string& place) { return py::bytes(edgeemo::drivers_at(place)); },
        py::arg("place"),
        "The drivers that a manifest of Vulkan, or a folder of them, names: lines with sizes and times.");
    m.def("recall", &recall, py::arg("folder"), py::arg("key"),
          "((usable, ratio, reason) or None, whether a process that opened it here did not come back).");
    m.def("try_in_child", &try_in_child, py::arg("command"), py::arg("request"), py::arg("timeout_ms"),
          py::arg("begins"),
          "Run a program on a request as edgeemo-probe is run: ((usable, ratio, reason), whether that is a "
          "word on the delegate, which comes into play \"at \" + begins).");
    m.def("too_slow", &edgeemo::too_slow, py::arg("ratio"), py::arg("most_ratio"),
          "Why a delegate that takes so long is not used, or ''.");
    py::class_<Opening>(m, "Opening", "While entered, a delegate is being loaded into this process.")
        .def(py::init<std::string, std::string>(), py::arg("folder"), py::arg("key"))
        .def("__enter__", &Opening::enter, "Leave a mark; why there is none, or ''.")
        .def("__exit__", [](Opening& self, const py::args&) { self.mark.reset(); });
    m.def("put_on_record", &put_on_record, py::arg("folder"), py::arg("key"), py::arg("usable"),
          py::arg("ratio"), py::arg("reason"),
          "Write a verdict whole or not at all; what went wrong, or ''.");
    m.def(
        "difference", &difference, py::arg("cpu"), py::arg("other"), py::arg("goldens"),
        "How the answers of two LoadedModels to goldens (bytes), zeros and noise differ: a sentence, or ''.");
}
