#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "arguments.h"
#include "bindings.h"
#include "edgeemo/delegates.h"
#include "edgeemo/errors.h"
#include "python_runner.h"
#include "runtime/loaded_model.h"

namespace py = pybind11;
using edgeemo::ElementType;
using edgeemo::LoadedModel;
using edgeemo::ModelRunner;
using edgeemo::TensorInfo;

namespace {

py::list described(const std::vector<TensorInfo>& tensors) {
    py::list all;
    for (const TensorInfo& t : tensors)
        all.append(
            py::make_tuple(t.name, py::tuple(py::cast(t.shape)), dtype_of(t.type), t.scale, t.zero_point));
    return all;
}

// A model and the bytes it reads.
struct Model {
    py::object flatbuffer;  // outlives the model
    std::shared_ptr<LoadedModel> loaded;
};

std::shared_ptr<LoadedModel> load(py::bytes flatbuffer, const std::string& library, std::int32_t threads,
                                  const std::string& delegate, const std::string& delegate_options,
                                  const py::object& goldens) {
    const edgeemo::ModelBytes bytes = hold_model(flatbuffer);
    const edgeemo::EngineOptions options = options_of(library, threads, delegate, delegate_options);
    const edgeemo::Goldens make = goldens_of(goldens);
    py::gil_scoped_release unlocked;
    edgeemo::OpenedEngine opened = edgeemo::open_engine(bytes, options, make);
    const std::string path = opened.engine.library();
    return std::make_shared<LoadedModel>(std::make_unique<edgeemo::Engine>(std::move(opened.engine)),
                                         opened.delegate, opened.reason, path);
}

bool same_shape(const py::array& array, const TensorInfo& tensor) {
    return static_cast<std::size_t>(array.ndim()) == tensor.shape.size() &&
           std::equal(tensor.shape.begin(), tensor.shape.end(), array.shape(),
                      [](std::int32_t n, py::ssize_t m) { return static_cast<py::ssize_t>(n) == m; });
}

// An input as the caller gave it: in the model's own type, or as floats that are to be quantized.
struct Given {
    py::array array;
    bool floats;
};

Given given(const py::handle& object, const TensorInfo& tensor) {
    const bool is_array = py::isinstance<py::array>(object);
    const auto array = is_array ? py::reinterpret_borrow<py::array>(object) : py::array();
    const bool exact = array.dtype().equal(dtype_of(tensor.type));
    const bool floats = tensor.quantized() && py::isinstance<py::array_t<float>>(object);
    if (!is_array || !same_shape(array, tensor) || !(exact || floats) ||
        (array.flags() & py::array::c_style) == 0) {
        throw edgeemo::InferenceError(tensor.name +
                                      ": expected a contiguous array of the model's shape and dtype");
    }
    return {array, floats && !exact};
}

std::vector<Given> all_given(const py::args& arrays, const std::vector<TensorInfo>& inputs) {
    if (arrays.size() != inputs.size()) {
        throw edgeemo::InferenceError("expected " + std::to_string(inputs.size()) + " arrays, got " +
                                      std::to_string(arrays.size()));
    }
    std::vector<Given> all;
    for (std::size_t i = 0; i < inputs.size(); ++i) all.push_back(given(arrays[i], inputs[i]));
    return all;
}

// Runs once and gives arrays in the order of the outputs: floats where the output is quantized, unless `raw`.
std::vector<py::array> run(const Model& model, const py::args& arrays, bool raw) {
    const std::vector<Given> inputs = all_given(arrays, model.loaded->inputs);
    const auto& outputs = model.loaded->outputs;
    std::vector<py::array> made;
    for (const TensorInfo& tensor : outputs)
        made.emplace_back(dtype_of(tensor.quantized() && !raw ? ElementType::float32 : tensor.type),
                          tensor.shape);
    std::vector<const void*> from;
    std::vector<void*> to;
    for (const Given& input : inputs) from.push_back(input.array.data());
    for (py::array& array : made) to.push_back(array.mutable_data());
    py::gil_scoped_release unlocked;
    model.loaded->with([&](ModelRunner& runner) {
        for (std::size_t i = 0; i < from.size(); ++i) {
            if (inputs[i].floats)
                runner.write(i, static_cast<const float*>(from[i]));
            else
                std::memcpy(runner.input(i), from[i], model.loaded->inputs[i].bytes);
        }
        runner.run();
        for (std::size_t i = 0; i < to.size(); ++i) {
            if (raw || !outputs[i].quantized())
                std::memcpy(to[i], runner.output(i), outputs[i].bytes);
            else
                runner.read(i, static_cast<float*>(to[i]));
        }
    });
    return made;
}

py::list invoke(const Model& model, const py::args& arrays) {
    py::list all;
    for (py::array& array : run(model, arrays, true)) all.append(std::move(array));
    return all;
}

py::dict run_by_name(const Model& model, const py::args& arrays) {
    std::vector<py::array> made = run(model, arrays, false);
    py::dict by_name;
    for (std::size_t i = 0; i < made.size(); ++i)
        by_name[py::str(model.loaded->outputs[i].name)] = std::move(made[i]);
    return by_name;
}

}  // namespace

std::shared_ptr<LoadedModel> loaded_by(const py::object& model) { return model.cast<const Model&>().loaded; }

void bind_model(py::module_& m) {
    py::class_<Model>(
        m, "LoadedModel",
        "A model that several users share; one of them runs it at a time, without the GIL.\n\n"
        "flatbuffer: a whole .tflite; its structure is checked first. library: path of libLiteRt.so,\n"
        "or '' for the usual places. threads: 1 to 64. delegate: 'auto', 'cpu' or 'gpu'.\n"
        "delegate_options: lines 'key = value'. goldens: a function that makes inputs, as bytes, to try a\n"
        "delegate with.\n"
        "Raises InputError (threads, delegate_options), BundleCorruptError (the model is not whole) or\n"
        "RuntimeUnavailableError (LiteRT is not usable). Raises InferenceError when LiteRT refuses the\n"
        "model, and DelegateError when the delegate is unknown or cannot be used.")
        .def(py::init([](py::bytes flatbuffer, const std::string& library, std::int32_t threads,
                         const std::string& delegate, const std::string& delegate_options,
                         const py::object& goldens) {
                 auto loaded = load(flatbuffer, library, threads, delegate, delegate_options, goldens);
                 return std::make_unique<Model>(Model{std::move(flatbuffer), std::move(loaded)});
             }),
             py::arg("flatbuffer"), py::kw_only(), py::arg("library") = "", py::arg("threads") = 1,
             py::arg("delegate") = "cpu", py::arg("delegate_options") = "", py::arg("goldens") = py::none())
        .def_static(
            "of_backend",
            [](const py::object& backend) {
                auto runner = std::make_unique<PythonRunner>(backend);
                return std::make_unique<Model>(
                    Model{py::none(), std::make_shared<LoadedModel>(std::move(runner))});
            },
            py::arg("backend"),
            "A model that a Backend of Python runs. Raises InferenceError for a tensor whose dtype is\n"
            "neither float32, int32 nor int8.")
        .def("invoke", &invoke,
             "Run once: an array for each input, of its shape and dtype; new arrays, one for each output.\n"
             "Raises InferenceError.")
        .def("run", &run_by_name,
             "Run once and return arrays by the names of the outputs. A float32 array for an int8 input is\n"
             "quantized by the one rule, and int8 outputs are dequantized to float32.\n"
             "Raises InputError (NaN that was to be quantized) and InferenceError.")
        .def(
            "check_usable", [](const Model& model) { model.loaded->check_usable(); },
            py::call_guard<py::gil_scoped_release>(),
            "Raises InferenceError after close(), and in a child that fork() made.")
        .def(
            "close", [](const Model& model) { model.loaded->close(); },
            py::call_guard<py::gil_scoped_release>(), "Release the model; further runs raise InferenceError.")
        .def_property_readonly(
            "closed", [](const Model& model) { return model.loaded->closed(); },
            "Whether close() was called.")
        .def_property_readonly(
            "inputs", [](const Model& model) { return described(model.loaded->inputs); },
            "(name, shape, dtype, scale, zero_point) of each, sorted by name; scale 0: not quantized.")
        .def_property_readonly(
            "outputs", [](const Model& model) { return described(model.loaded->outputs); }, "Likewise.")
        .def_property_readonly(
            "library",
            [](const Model& model) {
                return py::reinterpret_steal<py::str>(
                    PyUnicode_DecodeFSDefault(model.loaded->library.c_str()));
            },
            "Path of the LiteRT in use.")
        .def_property_readonly(
            "delegate", [](const Model& model) { return model.loaded->delegate; }, "'cpu' or 'gpu'.")
        .def_property_readonly(
            "reason", [](const Model& model) { return model.loaded->reason; }, "Why that delegate runs.");
}
