#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <array>
#include <optional>
#include <vector>

#include "bindings.h"
#include "edgeemo/errors.h"
#include "edgeemo/readout.h"

namespace py = pybind11;
using edgeemo::Readout;
using edgeemo::ReadoutRule;

namespace {

using Floats = py::array_t<float, py::array::c_style>;

void expect_size(const Floats& array, std::size_t n, const char* what) {
    if (static_cast<std::size_t>(array.size()) == n) return;
    throw std::invalid_argument("expected " + std::to_string(n) + " " + what + ", got " +
                                std::to_string(array.size()));
}

Readout make(bool multi_label, std::vector<float> scale, std::vector<float> bias,
             std::vector<std::vector<int>> groups, float temperature,
             std::vector<std::array<float, 2>> affect, std::vector<int> neutral,
             const std::optional<std::array<double, 3>>& evidence) {
    ReadoutRule rule;
    rule.scores = {multi_label, std::move(scale), std::move(bias), std::move(groups), temperature};
    rule.affect = std::move(affect);
    rule.neutral = std::move(neutral);
    if (evidence) {
        rule.weighs = true;
        rule.speech_threshold = (*evidence)[0];
        rule.least = (*evidence)[1];
        rule.enough = (*evidence)[2];
    }
    return Readout(std::move(rule));
}

Floats row_of(const Readout& readout, const Floats& logits, const std::optional<Floats>& affect) {
    expect_size(logits, readout.labels(), "logits");
    const bool needs = readout.rule().affect.empty();
    if (needs && !affect) throw std::invalid_argument("expected valence and arousal, got None");
    if (affect) expect_size(*affect, 2, "numbers for valence and arousal");
    Floats row(static_cast<py::ssize_t>(readout.row_size()));
    const float* const said = logits.data();
    const float* const felt = affect ? affect->data() : nullptr;
    float* const to = row.mutable_data();
    py::gil_scoped_release unlocked;
    readout.read(said, felt, to);
    return row;
}

Floats neutral(const Readout& readout) {
    Floats row(static_cast<py::ssize_t>(readout.row_size()));
    readout.neutral(row.mutable_data());
    return row;
}

Floats weigh(const Readout& readout, double evidence, const Floats& said) {
    expect_size(said, readout.row_size(), "numbers in a row");
    Floats row(static_cast<py::ssize_t>(readout.row_size()));
    std::copy(said.data(), said.data() + said.size(), row.mutable_data());
    float* const to = row.mutable_data();
    py::gil_scoped_release unlocked;
    readout.weigh(evidence, to);
    return row;
}

double speech_share(const Readout& readout, const Floats& logits, std::size_t real) {
    if (real < 1 || real > static_cast<std::size_t>(logits.size()))
        throw std::invalid_argument("expected at least one real block, and no more than there are logits");
    const float* const from = logits.data();
    py::gil_scoped_release unlocked;
    return readout.speech_share(from, real);
}

}  // namespace

void bind_readout(py::module_& m) {
    py::class_<Readout>(
        m, "Readout",
        "From a model's outputs to a row: probabilities, scores over the emotions, valence, arousal.\n\n"
        "Raises ValueError if the numbers do not fit together. Thread-safe.")
        .def(py::init(&make), py::kw_only(), py::arg("multi_label"), py::arg("scale"), py::arg("bias"),
             py::arg("groups"), py::arg("temperature"), py::arg("affect"), py::arg("neutral"),
             py::arg("evidence"))
        .def("read", &row_of, py::arg("logits").noconvert(), py::arg("affect").noconvert(),
             "One run of the model: float32 logits and, unless each label has its own, valence and arousal.\n"
             "Raises InferenceError on NaN, ValueError on other sizes.")
        .def("neutral", &neutral, "What is said where there is no evidence.")
        .def("weigh", &weigh, py::arg("evidence"), py::arg("said").noconvert(),
             "w * said + (1 - w) * neutral, w = clip((evidence - least) / (enough - least), 0, 1).")
        .def("speech_share", &speech_share, py::arg("logits").noconvert(), py::arg("real"),
             "The share of the first `real` blocks that are speech, by their logits. Raises InferenceError "
             "on NaN.");
}
