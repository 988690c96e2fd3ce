#include "arguments.h"

#include <pybind11/numpy.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>

#include "edgeemo/errors.h"

namespace py = pybind11;
using edgeemo::Box;
using edgeemo::Color;
using edgeemo::Eyes;
using edgeemo::Face;
using edgeemo::Image;
using edgeemo::Pcm;

namespace {

constexpr const char* kPassPicture = "pass the picture as a uint8 array (height, width, channels)";

constexpr const char* kPassAudio = "pass audio as int16 or float32, (samples,) or (samples, channels)";

constexpr std::size_t kAlignment = 16;

// A Python integer from `least` to `most`. The engine checks the narrower `range` that the message names.
long long to_whole(const std::string& name, const py::object& value, const char* remedy, long long least,
                   long long most, const char* range) {
    if (PyIndex_Check(value.ptr()) == 0 || PyBool_Check(value.ptr()))
        raise_expected(("an int as " + name).c_str(), value, remedy);
    const auto number = py::reinterpret_steal<py::object>(PyNumber_Index(value.ptr()));
    if (!number) throw py::error_already_set();
    int overflow = 0;
    const long long n = PyLong_AsLongLongAndOverflow(number.ptr(), &overflow);
    if (overflow == 0 && n >= least && n <= most) return n;
    const auto digits = py::reinterpret_steal<py::object>(PyObject_Str(number.ptr()));
    if (!digits) PyErr_Clear();  // Python writes at most 4300 digits
    throw edgeemo::InputError(name + " must be " + range + ", got " +
                              (digits ? digits.cast<std::string>() : "thousands of digits") + "; " + remedy);
}

Color to_color(const py::object& color) {
    if (!PyUnicode_Check(color.ptr()))
        raise_expected("a color such as 'rgb'", color, "name the order of the bytes");
    const auto name =
        py::reinterpret_steal<py::bytes>(PyUnicode_AsEncodedString(color.ptr(), "utf-8", "replace"));
    if (!name) throw py::error_already_set();
    Color value = Color::rgb;
    edgeemo::set_by_name(std::string(name), value);
    return value;
}

std::string shape_of(const py::array& array) {
    std::string text = "(";
    for (py::ssize_t i = 0; i < array.ndim(); ++i)
        text += (i == 0 ? "" : ", ") + std::to_string(array.shape(i));
    return text + (array.ndim() == 1 ? ",)" : ")");
}

const char* expected_shape(Color color) {
    constexpr std::array<const char*, 6> kShapes{"(height, width)",    "(height, width, 3)",
                                                 "(height, width, 3)", "(height, width, 4)",
                                                 "(height, width, 2)", "(3 height / 2, width)"};
    return kShapes[static_cast<std::size_t>(color)];
}

bool fits(const py::array& array, Color color) {
    const bool flat = color == Color::gray || color == Color::nv12;
    if (array.ndim() == 2) return flat && (color == Color::gray || array.shape(0) % 3 == 0);
    if (array.ndim() != 3 || color == Color::nv12) return false;
    return array.shape(2) == edgeemo::channels_of(color);  // of gray, too: (height, width, 1)
}

double number(py::handle value, const char* expected, const char* remedy) {
    const double x = PyFloat_AsDouble(value.ptr());
    if (PyErr_Occurred() != nullptr) {
        PyErr_Clear();
        raise_expected(expected, value, remedy);
    }
    return x;
}

// `n` numbers or sequences.
py::list items(const py::object& object, std::size_t n, const char* expected, const char* remedy) {
    const bool sequence = PySequence_Check(object.ptr()) != 0 && !PyUnicode_Check(object.ptr());
    const auto list = py::reinterpret_steal<py::object>(sequence ? PySequence_List(object.ptr()) : nullptr);
    if (!list) {
        PyErr_Clear();
        raise_expected(expected, object, remedy);
    }
    if (py::len(list) != n) {
        raise_input_type_error(std::string("expected ") + expected + ", got " +
                               std::to_string(py::len(list)) + " of them; " + remedy);
    }
    return list;
}

}  // namespace

std::int32_t to_int(const char* name, const py::object& value) {
    const bool rate = std::string_view(name) == "rate_hz";
    return static_cast<std::int32_t>(to_whole(name, value, "rates and channels are integers", INT32_MIN,
                                              INT32_MAX, rate ? "in [8000, 192000]" : "in [1, 32]"));
}

std::int64_t to_ms(const py::object& value) {
    return to_whole("t_ms", value, "times are whole milliseconds", INT64_MIN, INT64_MAX,
                    "within 2^52 ms of 0");
}

Pcm to_pcm(const py::object& object) {
    if (!py::isinstance<py::array>(object)) raise_expected("a numpy array", object, kPassAudio);
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

Image to_image(const py::object& object, const py::object& color) {
    if (!py::isinstance<py::array>(object)) raise_expected("a numpy array", object, kPassPicture);
    const auto array = py::reinterpret_borrow<py::array>(object);
    if (!py::isinstance<py::array_t<std::uint8_t>>(object)) {
        const bool floats = array.dtype().kind() == 'f';
        raise_input_type_error(
            "expected a uint8 array, got " + py::str(array.dtype()).cast<std::string>() +
            " array; pass pixels as uint8, 0 to 255" +
            (floats ? ": of floats in 0 to 1, (image * 255).round().astype('uint8')" : ""));
    }
    Image image;
    image.color = to_color(color);
    if (!fits(array, image.color)) {
        throw edgeemo::InputError(std::string("a picture in ") + name_of(image.color) + " has the shape " +
                                  expected_shape(image.color) + ", got " + shape_of(array) +
                                  "; name another color or reshape it");
    }
    const py::ssize_t rows = image.color == Color::nv12 ? array.shape(0) / 3 * 2 : array.shape(0);
    image.height = static_cast<std::int32_t>(std::min<py::ssize_t>(rows, INT32_MAX));
    image.width = static_cast<std::int32_t>(std::min<py::ssize_t>(array.shape(1), INT32_MAX));
    image.pixels = static_cast<const std::uint8_t*>(array.data());
    image.row_stride = array.strides(0);
    image.pixel_stride = array.strides(1);
    image.channel_stride = array.ndim() == 3 ? array.strides(2) : 1;
    return image;
}

Box to_box(const py::object& box) {
    constexpr const char *kExpected = "a box of four numbers", *kHow = "give (x0, y0, x1, y1) in pixels";
    const py::list list = items(box, 4, kExpected, kHow);
    std::array<double, 4> n{};
    for (std::size_t i = 0; i < 4; ++i) n[i] = number(list[i], kExpected, kHow);
    return {n[0], n[1], n[2], n[3]};
}

Eyes to_eyes(const py::object& eyes) {
    constexpr const char *kExpected = "two eye points",
                         *kHow = "give ((x, y), (x, y)) in pixels, left and right";
    const py::list list = items(eyes, 2, kExpected, kHow);
    Eyes points;
    for (std::size_t i = 0; i < 2; ++i) {
        const py::list point = items(list[i], 2, "a point of two numbers", kHow);
        points[i] = {number(point[0], kExpected, kHow), number(point[1], kExpected, kHow)};
    }
    return points;
}

py::tuple shown(const Box& b) { return py::make_tuple(b.x0, b.y0, b.x1, b.y1); }

py::tuple shown(const Eyes& e) {
    return py::make_tuple(py::make_tuple(e[0].x, e[0].y), py::make_tuple(e[1].x, e[1].y));
}

std::vector<Face> to_faces(const py::object& object) {
    constexpr const char* kHow = "pass a list of Face, as the detector gives";
    if (PySequence_Check(object.ptr()) == 0) raise_expected("a sequence of Face", object, kHow);
    std::vector<Face> faces;
    for (const py::handle face : py::reinterpret_borrow<py::sequence>(object)) {
        if (!py::isinstance<Face>(face)) raise_expected("a sequence of Face", face, kHow);
        faces.push_back(face.cast<Face>());
    }
    return faces;
}

edgeemo::Assets assets_of(const py::dict& assets) {
    edgeemo::Assets all;
    for (const auto& [name, content] : assets)
        all.emplace(py::str(name).cast<std::string>(),
                    std::string_view(py::bytes(content.cast<py::bytes>())));
    return all;
}

edgeemo::ModelBytes hold_model(const py::bytes& bytes) {
    const std::string_view view(bytes);
    const auto* const data = reinterpret_cast<const std::uint8_t*>(view.data());
    if (reinterpret_cast<std::uintptr_t>(data) % kAlignment == 0) return {data, view.size(), nullptr};
    const auto free = [](void* memory) { ::operator delete(memory, std::align_val_t{kAlignment}); };
    const std::shared_ptr<void> copy(::operator new(view.size(), std::align_val_t{kAlignment}), free);
    std::memcpy(copy.get(), data, view.size());
    return {static_cast<const std::uint8_t*>(copy.get()), view.size(), copy};
}

void check_signals() {
    const py::gil_scoped_acquire locked;
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
}

edgeemo::EngineOptions options_of(const std::string& library, std::int32_t threads,
                                  const std::string& delegate, const std::string& delegate_options) {
    edgeemo::EngineOptions options;
    options.library = library;
    options.threads = threads;
    options.delegate = delegate;
    options.delegate_options = delegate_options;
    options.waiting = check_signals;
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
