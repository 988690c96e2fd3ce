// Checks that a model's flatbuffer is whole and lists its tensors, before a library sees the model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "edgeemo/engine.h"

namespace edgeemo {

// Inputs and outputs of the one signature, in the order of its subgraph: the order in which LiteRT counts
// them.
struct ModelShape {
    std::vector<TensorInfo> inputs, outputs;
};

// Walks the whole structure: every table, vector and index that leads to tensors, operators, buffers and
// signatures lies inside the bytes. Throws BundleCorruptError unless the bytes are a whole model. Throws
// InferenceError for models that the engine does not run (no or several signatures, variable tensors, other
// types, open shapes).
ModelShape read_model(const std::uint8_t* data, std::size_t size);

}  // namespace edgeemo
