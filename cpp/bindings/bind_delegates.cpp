#include <pybind11/numpy.h>

#include <cstring>
#include <new>
#include <string>
#include <vector>

#include "bindings.h"
#include "edgeemo/delegates.h"
#include "edgeemo/golden.h"
#include "engine_options.h"
#include "record.h"

namespace py = pybind11;

namespace {

constexpr std::size_t kAlignment = 16;

py::array signal(const std::string& name) {
    const std::vector<std::int16_t> samples = edgeemo::golden_signal(name);
    return py::array_t<std::int16_t>(static_cast<py::ssize_t>(samples.size()), samples.data());
}

py::array drawing(const std::string& name) {
    const std::vector<std::uint8_t> pixels = edgeemo::golden_drawing(name);
    const py::ssize_t side = pixels.empty() ? 0 : edgeemo::kGoldenSide;
    return py::array_t<std::uint8_t>({side, side}, pixels.data());
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
    return py::make_tuple(verdict.usable, verdict.ratio, verdict.reason);
}

py::tuple read_options(const std::string& lines) {
    const edgeemo::DelegateOptions read = edgeemo::read_delegate_options(lines);
    return py::make_tuple(read.records, read.timeout_ms, read.most_ratio, read.rest);
}

// (verdict or None, why a file that is there was not believed)
py::tuple recall(const std::string& folder, const std::string& key) {
    const edgeemo::Recalled found = edgeemo::recall(folder, key);
    if (!found.verdict) return py::make_tuple(py::none(), found.trouble);
    return py::make_tuple(py::make_tuple(found.verdict->usable, found.verdict->ratio, found.verdict->reason),
                          "");
}

std::string put_on_record(const std::string& folder, const std::string& key, bool usable, double ratio,
                          const std::string& reason) {
    return edgeemo::put_on_record(folder, key, {usable, ratio, reason});
}

std::string wrong_answers(const std::string& name, float scale,
                          const py::array_t<float, py::array::c_style>& right,
                          const py::array_t<float, py::array::c_style>& given) {
    const std::vector<float> a(right.data(), right.data() + right.size());
    const std::vector<float> b(given.data(), given.data() + given.size());
    edgeemo::TensorInfo tensor;
    tensor.name = name;
    tensor.scale = scale;
    return edgeemo::wrong_answers(tensor, a, b);
}

}  // namespace

edgeemo::ModelBytes hold_model(const py::bytes& bytes) {
    const std::string_view view(bytes);
    const auto* const data = reinterpret_cast<const std::uint8_t*>(view.data());
    if (reinterpret_cast<std::uintptr_t>(data) % kAlignment == 0) return {data, view.size(), nullptr};
    const auto free = [](void* memory) { ::operator delete(memory, std::align_val_t{kAlignment}); };
    const std::shared_ptr<void> copy(::operator new(view.size(), std::align_val_t{kAlignment}), free);
    std::memcpy(copy.get(), data, view.size());
    return {static_cast<const std::uint8_t*>(copy.get()), view.size(), copy};
}

edgeemo::EngineOptions options_of(const std::string& library, std::int32_t threads,
                                  const std::string& delegate, const std::string& delegate_options) {
    edgeemo::EngineOptions options;
    options.library = library;
    options.threads = threads;
    options.delegate = delegate;
    options.delegate_options = delegate_options;
    options.waiting = [] {  // Ctrl-C
        const py::gil_scoped_acquire locked;
        if (PyErr_CheckSignals() != 0) throw py::error_already_set();
    };
    return options;
}

edgeemo::Goldens goldens_of(const py::object& make) {
    if (make.is_none()) return {};
    const py::handle callable = make;
    return [callable] {
        const py::gil_scoped_acquire locked;
        std::vector<edgeemo::Golden> found;
        for (const py::handle item : py::list(callable())) {
            const std::string_view bytes = item.cast<py::bytes>();
            found.emplace_back(bytes.begin(), bytes.end());
        }
        return found;
    };
}

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
          py::arg("options"), "What a verdict depends on: this machine, LiteRT in the folder, and the rest.");
    m.def("recall", &recall, py::arg("folder"), py::arg("key"),
          "((usable, ratio, reason) or None, why a file that is there was not believed).");
    m.def("put_on_record", &put_on_record, py::arg("folder"), py::arg("key"), py::arg("usable"),
          py::arg("ratio"), py::arg("reason"),
          "Write a verdict whole or not at all; what went wrong, or ''.");
    m.def("wrong_answers", &wrong_answers, py::arg("name"), py::arg("scale"), py::arg("right"),
          py::arg("given"),
          "How an output differs from the CPU's, a sentence, or ''. float32, of the same size.");
}
