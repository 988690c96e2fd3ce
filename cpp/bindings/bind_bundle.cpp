#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>
#include <vector>

#include "arguments.h"
#include "bindings.h"
#include "bundle/model_parts.h"
#include "edgeemo/errors.h"

namespace py = pybind11;

namespace {

py::bytes bytes_of(std::string_view view) { return {view.data(), view.size()}; }

// (size of the flatbuffer, the card's JSON, the assets by name)
py::tuple read_bundle(const py::bytes& data, const std::string& name) {
    const edgeemo::Bundle bundle = edgeemo::Bundle::from_bytes(hold_model(data), name);
    py::dict assets;
    for (const auto& [file, content] : bundle.assets) assets[py::str(file)] = bytes_of(content);
    return py::make_tuple(bundle.model.size, bytes_of(bundle.card_json), assets);
}

py::list golden_inputs(const std::string& card, const py::dict& assets) {
    py::list all;
    for (const edgeemo::Golden& golden : edgeemo::goldens_of(edgeemo::read_card(card), assets_of(assets)))
        all.append(bytes_of({reinterpret_cast<const char*>(golden.data()), golden.size()}));
    return all;
}

}  // namespace

void bind_bundle(py::module_& m) {
    m.attr("CARD_SCHEMA") = edgeemo::kCardSchema;
    m.def("read_bundle", &read_bundle, py::arg("data"), py::arg("name"),
          "Check a bundle whole: (bytes of the flatbuffer, JSON of the card, assets by name).\n"
          "Raises BundleError and its subclasses, and SpecError; messages begin with `name`.");
    m.def("check_card", &edgeemo::check_card, py::arg("card"),
          "Raise BundleCorruptError unless this JSON is a card that can be written, and\n"
          "BundleVersionError for a newer schema.");
    m.def(
        "vocabulary", [](const py::dict& assets) { return edgeemo::pieces_of(assets_of(assets)); },
        py::arg("assets"), "The lines of vocab.txt. Raises BundleError and SpecError.");
    m.def("golden_inputs", &golden_inputs, py::arg("card"), py::arg("assets"),
          "The inputs whose answers a card keeps: bytes of the tensors that its frontend makes.");
}
