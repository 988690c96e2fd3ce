#include "python_runner.h"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "edgeemo/errors.h"

namespace py = pybind11;
using edgeemo::ElementType;
using edgeemo::TensorInfo;

namespace {

ElementType type_of(const py::object& dtype, const std::string& name) {
    for (const ElementType type : {ElementType::float32, ElementType::int32, ElementType::int8})
        if (dtype.equal(dtype_of(type))) return type;
    throw edgeemo::InferenceError(name + " is of " + py::str(dtype).cast<std::string>() +
                                  ": expected float32, int32 or int8; use another backend.");
}

std::vector<TensorInfo> infos_of(const py::object& described) {
    std::vector<TensorInfo> all;
    for (const py::handle one : described) {
        TensorInfo info;
        info.name = py::str(one.attr("name")).cast<std::string>();
        info.type = type_of(one.attr("dtype"), info.name);
        info.count = 1;
        for (const py::handle side : one.attr("shape")) {
            info.shape.push_back(side.cast<std::int32_t>());
            info.count *= static_cast<std::size_t>(std::max(info.shape.back(), 0));
        }
        info.scale = one.attr("scale").cast<float>();
        info.zero_point = one.attr("zero_point").cast<std::int32_t>();
        info.bytes = info.count * (info.type == ElementType::int8 ? 1 : 4);
        all.push_back(std::move(info));
    }
    return all;
}

}  // namespace

py::dtype dtype_of(ElementType type) {
    if (type == ElementType::int8) return py::dtype::of<std::int8_t>();
    return type == ElementType::int32 ? py::dtype::of<std::int32_t>() : py::dtype::of<float>();
}

PythonRunner::PythonRunner(py::object backend)
    : backend_(std::move(backend)),
      inputs_(infos_of(backend_.attr("inputs"))),
      outputs_(infos_of(backend_.attr("outputs"))) {
    for (const TensorInfo& info : inputs_) written_.emplace_back(info.bytes / sizeof(double) + 1);
    for (const TensorInfo& info : outputs_) given_.emplace_back(info.bytes / sizeof(double) + 1);
}

PythonRunner::~PythonRunner() {
    const py::gil_scoped_acquire locked;
    backend_ = py::object();
}

void PythonRunner::invoke() {
    const py::gil_scoped_acquire locked;
    py::tuple arrays(inputs_.size());
    for (std::size_t i = 0; i < inputs_.size(); ++i)
        arrays[i] = py::array(dtype_of(inputs_[i].type), inputs_[i].shape, written_[i].data());
    const py::list results(backend_.attr("invoke")(*arrays));
    bool fits = results.size() == outputs_.size();
    for (std::size_t i = 0; fits && i < outputs_.size(); ++i) {
        const py::array array = py::array::ensure(results[i], py::array::c_style);
        fits = array && array.dtype().equal(dtype_of(outputs_[i].type)) &&
               static_cast<std::size_t>(array.size()) == outputs_[i].count;
        if (fits && outputs_[i].bytes != 0) std::memcpy(given_[i].data(), array.data(), outputs_[i].bytes);
    }
    if (!fits)
        throw edgeemo::InferenceError(
            "the backend gave other outputs than it describes: expected an array of the described shape and "
            "dtype for each of `outputs`");
}
