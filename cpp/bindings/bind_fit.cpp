#include "arguments.h"
#include "bindings.h"
#include "edgeemo/errors.h"
#include "edgeemo/fit.h"

namespace py = pybind11;
using edgeemo::Face;
using edgeemo::FaceFrontend;
using edgeemo::Fit;

void bind_fit(py::module_& m) {
    m.attr("CROP_OVER_BOX") = Fit{}.over_box;
    m.attr("CROP_DOWN") = Fit{}.down;
    m.def("usable", &edgeemo::usable, py::arg("face"), py::arg("width"), py::arg("height"),
          "Whether a found face can be read: with a score, a pixel in size, its middle in the picture.");
    py::reinterpret_borrow<py::class_<FaceFrontend>>(m.attr("FaceFrontend"))
        .def(
            "fitted",
            [](const FaceFrontend& self, const Face& face, double over_box, double down) {
                return edgeemo::fitted(self, face, {over_box, down});
            },
            py::arg("face"), py::arg("over_box"), py::arg("down"),
            "The crop of a found face: its box, turned as the eyes are if they say how, then fitted.\n"
            "Raises InputError for a box that cannot be cut.")
        .def(
            "given",
            [](const FaceFrontend& self, const py::object& box) { return edgeemo::given(self, to_box(box)); },
            py::arg("box"),
            "The face of a box, certain; its eyes are where an upright face in this box would have them.\n"
            "Raises InputError for a box that cannot be cut.");
}
