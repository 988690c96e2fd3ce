#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <cstring>
#include <mutex>
#include <vector>

#include "bindings.h"
#include "edgeemo/delegates.h"
#include "edgeemo/engine.h"
#include "edgeemo/errors.h"
#include "engine_options.h"

namespace py = pybind11;
using edgeemo::ElementType;
using edgeemo::TensorInfo;

namespace {

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
    Engine(py::bytes flatbuffer, const edgeemo::EngineOptions& options, const edgeemo::Goldens& goldens)
        : flatbuffer_(std::move(flatbuffer)), opened_(load(flatbuffer_, options, goldens)) {}

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
        engine_.check_process();
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
    const std::string& delegate() const { return opened_.delegate; }
    const std::string& reason() const { return opened_.reason; }

  private:
    static edgeemo::OpenedEngine load(const py::bytes& bytes, const edgeemo::EngineOptions& options,
                                      const edgeemo::Goldens& goldens) {
        const edgeemo::ModelBytes model = hold_model(bytes);
        py::gil_scoped_release unlocked;
        return edgeemo::open_engine(model, options, goldens);
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
    edgeemo::OpenedEngine opened_;
    edgeemo::Engine& engine_ = opened_.engine;
    std::mutex mutex_;
};

}  // namespace

void bind_engine(py::module_& m) {
    py::class_<Engine>(
        m, "Engine",
        "A model on LiteRT's C API, found at run time; without the GIL while it works.\n\n"
        "flatbuffer: a whole .tflite; its structure is checked first. library: path of libLiteRt.so,\n"
        "or '' for the usual places. threads: 1 to 64. delegate: 'auto', 'cpu' or 'gpu'.\n"
        "delegate_options: lines 'key = value'. goldens: what makes inputs to try a delegate with, as "
        "bytes.\n"
        "Raises InputError (threads, delegate_options), BundleCorruptError (no whole model),\n"
        "RuntimeUnavailableError (no usable LiteRT), InferenceError (it refuses the model),\n"
        "DelegateError (the delegate is unknown or cannot be used).")
        .def(py::init([](py::bytes flatbuffer, const std::string& library, std::int32_t threads,
                         const std::string& delegate, const std::string& delegate_options,
                         const py::object& goldens) {
                 return std::make_unique<Engine>(std::move(flatbuffer),
                                                 options_of(library, threads, delegate, delegate_options),
                                                 goldens_of(goldens));
             }),
             py::arg("flatbuffer"), py::kw_only(), py::arg("library") = "", py::arg("threads") = 1,
             py::arg("delegate") = "cpu", py::arg("delegate_options") = "", py::arg("goldens") = py::none())
        .def("invoke", &Engine::invoke,
             "Run once: an array for each of inputs, of its shape and dtype; new arrays, one for each of "
             "outputs.\n"
             "Raises InferenceError. Threads wait for each other.")
        .def_property_readonly(
            "inputs", &Engine::inputs,
            "(name, shape, dtype, scale, zero_point) of each, sorted by name; scale 0: none.")
        .def_property_readonly("outputs", &Engine::outputs, "Likewise.")
        .def_property_readonly("library", &Engine::library, "Path of the LiteRT in use.")
        .def_property_readonly("delegate", &Engine::delegate, "What runs: 'cpu' or 'gpu'.")
        .def_property_readonly("reason", &Engine::reason, "Why that one.");
}
