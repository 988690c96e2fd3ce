#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include "bindings.h"
#include "edgeemo/scores.h"

namespace py = pybind11;

namespace {

using Floats = py::array_t<float, py::array::c_style>;

py::tuple apply(const edgeemo::ScoreMap& map, const Floats& logits) {
    if (static_cast<std::size_t>(logits.size()) != map.labels())
        throw std::invalid_argument("expected " + std::to_string(map.labels()) + " logits, got " +
                                    std::to_string(logits.size()));
    Floats probabilities(static_cast<py::ssize_t>(map.labels()));
    Floats scores(static_cast<py::ssize_t>(map.groups()));
    const float* const from = logits.data();
    float *const to = probabilities.mutable_data(), *const over = scores.mutable_data();
    {
        py::gil_scoped_release unlocked;
        map.apply(from, to, over);
    }
    return py::make_tuple(std::move(probabilities), std::move(scores));
}

}  // namespace

void bind_scores(py::module_& m) {
    py::class_<edgeemo::ScoreMap>(m, "ScoreMap",
                                  "From logits to calibrated probabilities and scores over the emotions.")
        .def(py::init([](bool multi_label, std::vector<float> scale, std::vector<float> bias,
                         std::vector<std::vector<int>> groups, float temperature) {
                 return edgeemo::ScoreMap(
                     {multi_label, std::move(scale), std::move(bias), std::move(groups), temperature});
             }),
             py::kw_only(), py::arg("multi_label"), py::arg("scale"), py::arg("bias"), py::arg("groups"),
             py::arg("temperature") = 1.0F)
        .def("__call__", &apply, py::arg("logits").noconvert(),
             "Map float32 logits (labels,) to (probabilities (labels,), scores (groups,)), both float32.\n"
             "Raises ValueError on NaN or another number of logits. Thread-safe.");
}
