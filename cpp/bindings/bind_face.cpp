#include <pybind11/numpy.h>

#include <vector>

#include "arguments.h"
#include "bindings.h"
#include "edgeemo/errors.h"
#include "edgeemo/face.h"

namespace py = pybind11;
using edgeemo::Alignment;
using edgeemo::Box;
using edgeemo::FaceFrontend;
using edgeemo::FaceSpec;
using edgeemo::Image;
using edgeemo::Point;

namespace {

Alignment align(const FaceFrontend& frontend, const py::object& box, const py::object& eyes) {
    if (box.is_none() && eyes.is_none()) {
        throw edgeemo::InputError(
            "expected a box, eyes or both, got none; the whole picture is (0, 0, width, height)");
    }
    if (eyes.is_none()) return frontend.align(to_box(box));
    return box.is_none() ? frontend.align(to_eyes(eyes)) : frontend.align(to_box(box), to_eyes(eyes));
}

Alignment place(const FaceFrontend& frontend, const Image& image, const py::object& box,
                const py::object& eyes, const py::object& crop) {
    const bool elsewhere = !box.is_none() || !eyes.is_none();
    if (!crop.is_none()) {
        if (elsewhere) throw edgeemo::InputError("got a crop beside a box or eyes; pass one or the other");
        if (!py::isinstance<Alignment>(crop)) raise_expected("an Alignment", crop, "make one with align()");
        return crop.cast<Alignment>();
    }
    if (elsewhere) return align(frontend, box, eyes);
    edgeemo::check_image(image);
    return frontend.align(Box{0.0, 0.0, static_cast<double>(image.width), static_cast<double>(image.height)});
}

std::vector<py::ssize_t> shape_of(const FaceSpec& spec) {
    return {spec.height, spec.width, spec.channels == FaceSpec::Channels::rgb ? 3 : 1};
}

py::array_t<float> compute_face(const FaceFrontend& frontend, const py::object& object,
                                const py::object& color, const py::object& box, const py::object& eyes,
                                const py::object& crop) {
    const Image image = to_image(object, color);
    const Alignment at = place(frontend, image, box, eyes, crop);
    py::array_t<float> out(shape_of(frontend.spec()));
    float* const to = out.mutable_data();
    py::gil_scoped_release unlocked;
    frontend.compute(image, at, to);
    return out;
}

py::array_t<std::int8_t> compute_int8(const FaceFrontend& frontend, const py::object& object,
                                      const py::object& color, double scale, std::int32_t zero_point,
                                      const py::object& box, const py::object& eyes, const py::object& crop) {
    const Image image = to_image(object, color);
    const Alignment at = place(frontend, image, box, eyes, crop);
    py::array_t<std::int8_t> out(shape_of(frontend.spec()));
    std::int8_t* const to = out.mutable_data();
    py::gil_scoped_release unlocked;
    frontend.compute(image, at, static_cast<float>(scale), zero_point, to);
    return out;
}

py::tuple pair(const Point& p) { return py::make_tuple(p.x, p.y); }

std::string alignment_repr(const Alignment& a) {
    return "Alignment(a=" + py::repr(py::float_(a.a)).cast<std::string>() +
           ", b=" + py::repr(py::float_(a.b)).cast<std::string>() +
           ", x=" + py::repr(py::float_(a.x)).cast<std::string>() +
           ", y=" + py::repr(py::float_(a.y)).cast<std::string>() + ")";
}

py::tuple alignment_state(const Alignment& a) { return py::make_tuple(a.a, a.b, a.x, a.y); }

void bind_alignment(py::module_& m) {
    py::class_<Alignment>(
        m, "Alignment",
        "Where a crop lies in a picture: shift, turn and scale; a read-only value.\n\n"
        "Crop point (u, v) lies at `(x + a u - b v, y + b u + a v)` of the picture. Both are in pixels\n"
        "from their top left corners; the middle of a pixel is at half numbers.")
        .def(py::init([](double a, double b, double x, double y) { return Alignment{a, b, x, y}; }),
             py::kw_only(), py::arg("a"), py::arg("b"), py::arg("x"), py::arg("y"))
        .def_readonly("a", &Alignment::a, "Scale times cosine of the turn.")
        .def_readonly("b", &Alignment::b, "Scale times sine of the turn.")
        .def_readonly("x", &Alignment::x, "Where the crop's top left corner lies.")
        .def_readonly("y", &Alignment::y, "Where the crop's top left corner lies.")
        .def_property_readonly("scale", &Alignment::scale, "Picture pixels a crop pixel.")
        .def(
            "to_picture", [](const Alignment& a, double x, double y) { return pair(a.to_picture({x, y})); },
            py::arg("x"), py::arg("y"), "The point of the picture at a point of the crop.")
        .def(
            "to_crop", [](const Alignment& a, double x, double y) { return pair(a.to_crop({x, y})); },
            py::arg("x"), py::arg("y"), "The point of the crop at a point of the picture.")
        .def(
            "__eq__",
            [](const Alignment& a, const Alignment& b) {
                return alignment_state(a).equal(alignment_state(b));
            },
            py::is_operator())
        .def("__hash__", [](const Alignment& a) { return py::hash(alignment_state(a)); })
        .def("__repr__", &alignment_repr)
        .def(py::pickle(&alignment_state, [](const py::tuple& s) {
            return Alignment{s[0].cast<double>(), s[1].cast<double>(), s[2].cast<double>(),
                             s[3].cast<double>()};
        }));
}

}  // namespace

void bind_face(py::module_& m) {
    bind_alignment(m);
    py::class_<FaceFrontend>(
        m, "FaceFrontend",
        "From a picture and a place in it to a tensor: immutable, thread-safe, without the GIL.\n\n"
        "image: uint8 with strides of any size and sign, sides 1 to 32768. Its color is 'rgb' or 'bgr'\n"
        "(h, w, 3), 'rgba' (h, w, 4), or 'gray' (h, w) or (h, w, 1). YUV is 'yuyv' (h, w, 2) or 'nv12'\n"
        "(3 h / 2, w). The place is a box (x0, y0, x1, y1), eyes ((x, y), (x, y)), left and right in the\n"
        "picture, or both. Without a place the frontend takes the whole picture.")
        .def(py::init<const FaceSpec&>(), py::arg("spec"))
        .def_property_readonly(
            "spec", [](const FaceFrontend& f) { return f.spec(); }, "The FaceSpec.")
        .def("align", &align, py::arg("box") = py::none(), py::arg("eyes") = py::none(),
             "Where the crop of a box, eyes, or a box turned as the eyes are lies: an Alignment.")
        .def("compute", &compute_face, py::arg("image"), py::arg("color"), py::arg("box") = py::none(),
             py::arg("eyes") = py::none(), py::kw_only(), py::arg("crop") = py::none(),
             "The tensor: float32 (height, width, 1 or 3).")
        .def("compute_int8", &compute_int8, py::arg("image"), py::arg("color"), py::arg("scale"),
             py::arg("zero_point"), py::arg("box") = py::none(), py::arg("eyes") = py::none(), py::kw_only(),
             py::arg("crop") = py::none(), "quantize(compute(...), scale, zero_point), in one pass: int8.");
}
