#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <cstring>
#include <mutex>
#include <new>
#include <vector>

#include "bindings.h"
#include "edgeemo/engine.h"
#include "edgeemo/errors.h"

namespace py = pybind11;
using edgeemo::ElementType;
using edgeemo::TensorInfo;

namespace {

constexpr std::size_t kAlignment = 16;

// The caller's bytes themselves where they lie well, as those of all but tiny objects do; else a copy.
edgeemo::ModelBytes hold(const py::bytes& bytes) {
    const std::string_view view(bytes);
    const auto* const data = reinterpret_cast<const std::uint8_t*>(view.data());
    if (reinterpret_cast<std::uintptr_t>(data) % kAlignment == 0) return {data, view.size(), nullptr};
    const auto free = [](void* memory) { ::operator delete(memory, std::align_val_t{kAlignment}); };
    const std::shared_ptr<void> copy(::operator new(view.size(), std::align_val_t{kAlignment}), free);
    std::memcpy(copy.get(), data, view.size());
    return {static_cast<const std::uint8_t*>(copy.get()), view.size(), copy};
}

py::dtype dtype_of(ElementType type) {
    switch (type) {
        case ElementType::int8:
            return py::dtype::of<std::int8_t>();
        case ElementType::int32:
            return py::dtype::of<std::int32_t>();
        default:
            return py::dtype::of<float>();
    }
}

py::list described(const std::vector<TensorInfo>& tensors) {
    py::list all;
    for (const TensorInfo& t : tensors)
        all.append(
            py::make_tuple(t.name, py::tuple(py::cast(t.shape)), dtype_of(t.type), t.scale, t.zero_point));
    return all;
}

// Threads that share one by mistake wait for each other, without the GIL.
class Engine {
  public:
    Engine(py::bytes flatbuffer, const std::string& library, std::int32_t threads, const std::string& delegate,
           const std::string& gpu_options)
        : flatbuffer_(std::move(flatbuffer)),
          engine_(load(flatbuffer_, {library, threads, {}, delegate, gpu_options})) {}

    py::list invoke(const py::args& arrays) {
        const auto& inputs = engine_.inputs();
        if (arrays.size() != inputs.size()) {
            throw edgeemo::InferenceError("expected " + std::to_string(inputs.size()) + " arrays, got " +
                                          std::to_string(arrays.size()));
        }
        std::vector<const void*> from;
        for (std::size_t i = 0; i < inputs.size(); ++i) from.push_back(data_of(arrays[i], inputs[i]));
        py::list results;
        std::vector<void*> to;
        for (const TensorInfo& tensor : engine_.outputs()) {
            py::array made(dtype_of(tensor.type), tensor.shape);
            to.push_back(made.mutable_data());
            results.append(std::move(made));
        }
        {
            py::gil_scoped_release unlocked;
            const std::lock_guard<std::mutex> lock(mutex_);
            for (std::size_t i = 0; i < from.size(); ++i)
                std::memcpy(engine_.input(i), from[i], inputs[i].bytes);
            engine_.run();
            for (std::size_t i = 0; i < to.size(); ++i)
                std::memcpy(to[i], engine_.output(i), engine_.outputs()[i].bytes);
        }
        return results;
    }

    py::list inputs() const { return described(engine_.inputs()); }
    py::list outputs() const { return described(engine_.outputs()); }
    const std::string& library() const { return engine_.library(); }

  private:
    static edgeemo::Engine load(const py::bytes& bytes, const edgeemo::EngineOptions& options) {
        edgeemo::ModelBytes model = hold(bytes);
        py::gil_scoped_release unlocked;
        return edgeemo::Engine(std::move(model), options);
    }

    static const void* data_of(const py::handle& object, const TensorInfo& tensor) {
        const bool array = py::isinstance<py::array>(object);
        const auto a = array ? py::reinterpret_borrow<py::array>(object) : py::array();
        const bool same_shape =
            static_cast<std::size_t>(a.ndim()) == tensor.shape.size() &&
            std::equal(tensor.shape.begin(), tensor.shape.end(), a.shape(),
                       [](std::int32_t n, py::ssize_t m) { return static_cast<py::ssize_t>(n) == m; });
        if (!array || !same_shape || !a.dtype().equal(dtype_of(tensor.type)) ||
            (a.flags() & py::array::c_style) == 0) {
            throw edgeemo::InferenceError(tensor.name +
                                          ": expected a contiguous array of the model's shape and dtype");
        }
        return a.data();
    }

    py::bytes flatbuffer_;  // outlives the engine, which reads it
    edgeemo::Engine engine_;
    std::mutex mutex_;
};

}  // namespace

void bind_engine(py::module_& m) {
    py::class_<Engine>(
        m, "Engine",
        "A model on LiteRT's C API, found at run time; without the GIL while it works.\n\n"
        "flatbuffer: a whole .tflite; its structure is checked first. library: path of libLiteRt.so,\n"
        "or '' for the usual places. threads: 1 to 64. delegate: 'cpu' or 'gpu'; gpu_options: lines\n"
        "'key = value' for LiteRT's accelerator.\n"
        "Raises InputError (threads), BundleCorruptError (no whole model),\n"
        "RuntimeUnavailableError (no usable LiteRT), InferenceError (it refuses the model),\n"
        "DelegateError (no such delegate, or no device for it).")
        .def(py::init<py::bytes, const std::string&, std::int32_t, const std::string&, const std::string&>(),
             py::arg("flatbuffer"), py::kw_only(), py::arg("library") = "", py::arg("threads") = 1,
             py::arg("delegate") = "cpu", py::arg("gpu_options") = "")
        .def("invoke", &Engine::invoke,
             "Run once: an array for each of inputs, of its shape and dtype; new arrays, one for each of "
             "outputs.\n"
             "Raises InferenceError. Threads wait for each other.")
        .def_property_readonly(
            "inputs", &Engine::inputs,
            "(name, shape, dtype, scale, zero_point) of each, sorted by name; scale 0: none.")
        .def_property_readonly("outputs", &Engine::outputs, "Likewise.")
        .def_property_readonly("library", &Engine::library, "Path of the LiteRT in use.");
}
