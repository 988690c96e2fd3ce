#include "sounds.h"

#include <pybind11/numpy.h>

#include <algorithm>
#include <string>

#include "edgeemo/errors.h"
#include "errors.h"

namespace py = pybind11;
using edgeemo::Pcm;

namespace {

constexpr const char* kRemedy = "pass audio as int16 or float32, (samples,) or (samples, channels)";

}  // namespace

Pcm to_pcm(const py::object& object) {
    if (!py::isinstance<py::array>(object)) raise_expected("a numpy array", object, kRemedy);
    const auto array = py::reinterpret_borrow<py::array>(object);
    Pcm pcm;
    if (py::isinstance<py::array_t<float>>(object)) {
        pcm.float32 = static_cast<const float*>(array.data());
    } else if (py::isinstance<py::array_t<std::int16_t>>(object)) {
        pcm.int16 = static_cast<const std::int16_t*>(array.data());
    } else {
        raise_input_type_error("expected an int16 or float32 array, got " +
                               py::str(array.dtype()).cast<std::string>() +
                               " array; pass audio as int16 or float32, float in ±1");
    }
    if (array.ndim() != 1 && array.ndim() != 2) {
        throw edgeemo::InputError("expected (samples,) or (samples, channels), got an array of " +
                                  std::to_string(array.ndim()) + " dimensions; reshape it");
    }
    constexpr int kAligned = py::detail::npy_api::NPY_ARRAY_ALIGNED_;
    if ((array.flags() & py::array::c_style) == 0 || (array.flags() & kAligned) == 0) {
        raise_input_type_error(
            "expected a contiguous array, got one with gaps; pass it through numpy.ascontiguousarray");
    }
    pcm.samples = static_cast<std::size_t>(array.shape(0));
    const py::ssize_t channels = array.ndim() == 1 ? 1 : array.shape(1);
    pcm.channels = static_cast<std::int32_t>(std::min<py::ssize_t>(channels, INT32_MAX));
    return pcm;
}

std::int32_t to_int(const char* name, const py::object& value) {
    const bool index = PyIndex_Check(value.ptr()) != 0 && !PyBool_Check(value.ptr());
    if (!index)
        raise_expected((std::string("an int as ") + name).c_str(), value, "rates and channels are integers");
    const auto number = py::reinterpret_steal<py::object>(PyNumber_Index(value.ptr()));
    if (!number) throw py::error_already_set();
    int overflow = 0;
    const long long n = PyLong_AsLongLongAndOverflow(number.ptr(), &overflow);
    const long long least = INT32_MIN, most = INT32_MAX;
    return static_cast<std::int32_t>(overflow != 0 ? (overflow < 0 ? least : most)
                                                   : std::clamp(n, least, most));
}
