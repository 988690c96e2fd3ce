// A model that a Backend of Python runs, as the engine sees it.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <memory>
#include <vector>

#include "edgeemo/model_runner.h"
#include "runtime/loaded_model.h"

pybind11::dtype dtype_of(edgeemo::ElementType type);

// The model that an object of class LoadedModel holds.
std::shared_ptr<edgeemo::LoadedModel> loaded_by(const pybind11::object& model);

class PythonRunner final : public edgeemo::ModelRunner {
  public:
    // Reads `backend.inputs` and `backend.outputs`. Throws InferenceError for other dtypes.
    explicit PythonRunner(pybind11::object backend);
    ~PythonRunner() override;
    PythonRunner(const PythonRunner&) = delete;
    PythonRunner& operator=(const PythonRunner&) = delete;

    const std::vector<edgeemo::TensorInfo>& inputs() const override { return inputs_; }
    const std::vector<edgeemo::TensorInfo>& outputs() const override { return outputs_; }
    void* input(std::size_t i) override { return written_[i].data(); }
    const void* output(std::size_t i) const override { return given_[i].data(); }

  private:
    using Memory = std::vector<double>;  // aligned for every type

    void invoke() override;  // takes the GIL and calls backend.invoke(*arrays)

    pybind11::object backend_;
    std::vector<edgeemo::TensorInfo> inputs_, outputs_;  // in the order of the backend
    std::vector<Memory> written_, given_;
};
