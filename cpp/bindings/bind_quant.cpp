#include <pybind11/numpy.h>

#include <cmath>
#include <vector>

#include "bindings.h"
#include "edgeemo/quant.h"
#include "errors.h"

namespace py = pybind11;

namespace {

// The array itself, never a converted copy.
template <class T>
py::array_t<T> exactly(const py::object& x, const char* dtype) {
    const std::string expected = std::string(dtype) + " array";
    if (!py::isinstance<py::array>(x)) raise_expected(expected.c_str(), x, "convert it with numpy first");
    const auto array = py::reinterpret_borrow<py::array>(x);
    if (!py::isinstance<py::array_t<T>>(x)) {
        raise_input_type_error("expected " + expected + ", got " +
                               py::str(array.dtype()).cast<std::string>() +
                               " array; convert it with astype, if that is what you mean");
    }
    if ((array.flags() & py::array::c_style) == 0) {
        raise_input_type_error("expected a contiguous " + expected +
                               ", got one with gaps; pass it through numpy.ascontiguousarray");
    }
    return py::reinterpret_borrow<py::array_t<T>>(x);
}

// An array of the same shape, by `rule`.
template <class Out, class In>
py::array_t<Out> mapped(const py::object& x, const char* dtype, double scale, std::int32_t zero_point,
                        void (*rule)(const In*, std::size_t, float, std::int32_t, Out*)) {
    const auto in = exactly<In>(x, dtype);
    py::array_t<Out> out(std::vector<py::ssize_t>(in.shape(), in.shape() + in.ndim()));
    const In* const from = in.data();
    Out* const to = out.mutable_data();
    const auto n = static_cast<std::size_t>(in.size());
    py::gil_scoped_release unlocked;
    rule(from, n, static_cast<float>(scale), zero_point, to);
    return out;
}

py::array_t<std::int8_t> quantize(const py::object& x, double scale, std::int32_t zero_point) {
    return mapped(x, "float32", scale, zero_point, &edgeemo::quantize);
}

py::array_t<float> dequantize(const py::object& q, double scale, std::int32_t zero_point) {
    return mapped(q, "int8", scale, zero_point, &edgeemo::dequantize);
}

}  // namespace

void bind_quant(py::module_& m) {
    m.def("quantize", &quantize, py::arg("x"), py::arg("scale"), py::arg("zero_point"),
          "The one int8 rule: saturate(round_half_even(x / scale) + zero_point).\n\n"
          "x: contiguous float32 array of any shape; scale: finite, > 0; zero_point: -128 to 127.\n"
          "Quotient in float32; infinities saturate. Returns int8 of the same shape.\n"
          "Raises InputError for NaN or a bad scale or zero point, InputTypeError for another dtype.");
    m.def("dequantize", &dequantize, py::arg("q"), py::arg("scale"), py::arg("zero_point"),
          "(q - zero_point) * scale in float32.\n\n"
          "q: contiguous int8 array of any shape; scale: finite, > 0; zero_point: -128 to 127.\n"
          "Returns float32 of the same shape. Raises as quantize does.");
}
