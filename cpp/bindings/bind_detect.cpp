#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <string>
#include <vector>

#include "arguments.h"
#include "bindings.h"
#include "edgeemo/detect.h"
#include "edgeemo/errors.h"

namespace py = pybind11;
using edgeemo::Alignment;
using edgeemo::DetectorSpec;
using edgeemo::Face;
using edgeemo::FaceDecoder;

namespace {

// The caller's array itself, never a converted copy.
py::array_t<float> head(const char* name, const py::object& object, std::size_t cells, bool four) {
    const std::string expected = "(" + std::to_string(cells) + (four ? ", 4)" : ",)");
    if (!py::isinstance<py::array_t<float>>(object)) {
        raise_expected((std::string(name) + " as a float32 array " + expected).c_str(), object,
                       "pass the heads dequantized, as float32");
    }
    const auto array = py::reinterpret_borrow<py::array_t<float>>(object);
    const bool fits = array.ndim() == (four ? 2 : 1) && array.shape(0) == static_cast<py::ssize_t>(cells) &&
                      (!four || array.shape(1) == 4) && (array.flags() & py::array::c_style) != 0;
    if (!fits) {
        throw edgeemo::InputError(std::string(name) + " must be contiguous and have the shape " + expected +
                                  "; check the model's outputs and the DetectorSpec");
    }
    return array;
}

std::vector<Face> decode(const FaceDecoder& decoder, const py::object& logits, const py::object& boxes,
                         const py::object& eyes, const py::object& crop) {
    if (!py::isinstance<Alignment>(crop))
        raise_expected("an Alignment", crop, "pass the one its input was cut with");
    const auto at = crop.cast<Alignment>();
    const std::size_t n = decoder.spec().cells();
    const auto l = head("logits", logits, n, false), b = head("boxes", boxes, n, true),
               e = head("eyes", eyes, n, true);
    const float *const from_l = l.data(), *const from_b = b.data(), *const from_e = e.data();
    py::gil_scoped_release unlocked;
    return decoder.decode(from_l, from_b, from_e, at);
}

py::tuple state_of(const Face& f) { return py::make_tuple(shown(f.box), shown(f.eyes), f.score); }

Face face_of(const py::object& box, const py::object& eyes, double score) {
    return {to_box(box), to_eyes(eyes), score};
}

std::string repr(const Face& f) {
    return "Face(box=" + std::string(py::repr(shown(f.box))) +
           ", eyes=" + std::string(py::repr(shown(f.eyes))) +
           ", score=" + std::string(py::repr(py::float_(f.score))) + ")";
}

void bind_face_value(py::module_& m) {
    py::class_<Face>(m, "Face", "A face that a detector found, in pixels of the picture; a read-only value.")
        .def(py::init(&face_of), py::arg("box"), py::arg("eyes"), py::arg("score") = 1.0)
        .def_property_readonly(
            "box", [](const Face& f) { return shown(f.box); }, "(x0, y0, x1, y1).")
        .def_property_readonly(
            "eyes", [](const Face& f) { return shown(f.eyes); },
            "((x, y), (x, y)), left and right in the picture.")
        .def_readonly("score", &Face::score, "Calibrated probability of a face, 0 to 1.")
        .def(
            "__eq__", [](const Face& a, const Face& b) { return a == b; }, py::is_operator())
        .def("__hash__", [](const Face& f) { return py::hash(state_of(f)); })
        .def("__repr__", &repr)
        .def(py::pickle(&state_of,
                        [](const py::tuple& s) { return face_of(s[0], s[1], s[2].cast<double>()); }));
    m.def(
        "face_in_front",
        [](const py::object& object) -> py::object {
            const std::vector<Face> faces = to_faces(object);
            const Face* const best = edgeemo::in_front(faces);
            return best == nullptr ? py::none() : py::cast(*best);
        },
        py::arg("faces"), "The face that a picture is of: the largest area times score; None of none.");
}

}  // namespace

void bind_detect(py::module_& m) {
    bind_face_value(m);
    py::class_<FaceDecoder>(
        m, "FaceDecoder",
        "From the heads of a face detector to faces: immutable, thread-safe, without the GIL.\n\n"
        "The heads hold a logit, a box (dx, dy, w, h) and eyes (x, y, x, y) for each cell. The cells\n"
        "follow grid after grid, from least_stride on, and row after row. The middle of a box lies\n"
        "(column + 0.5 + dx, row + 0.5 + dy) strides from the corner. The box is e^w strides wide\n"
        "and e^h high. Eyes are measured from the middle, in sides of the box.")
        .def(py::init<const DetectorSpec&>(), py::arg("spec"))
        .def_property_readonly(
            "spec", [](const FaceDecoder& d) { return d.spec(); }, "The DetectorSpec.")
        .def("decode", &decode, py::arg("logits"), py::arg("boxes"), py::arg("eyes"), py::arg("crop"),
             "Faces by falling score, moved from the crop (the detector's input) into the picture.");
}
