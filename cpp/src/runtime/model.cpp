#include "runtime/model.h"

#include "edgeemo/errors.h"
#include "runtime/flatbuffer.h"

namespace edgeemo {
namespace {

using flatbuffer::broken;
using flatbuffer::Bytes;
using flatbuffer::Table;
using flatbuffer::Vector;

// Fields of TFLite's schema (version 3), by number.
namespace model {
constexpr unsigned kVersion = 0, kOpcodes = 1, kSubgraphs = 2, kBuffers = 4, kMetadata = 6, kSignatures = 7;
}
namespace subgraph {
constexpr unsigned kTensors = 0, kInputs = 1, kOutputs = 2, kOperators = 3, kName = 4;
}
namespace tensor {
constexpr unsigned kShape = 0, kType = 1, kBuffer = 2, kName = 3, kQuantization = 4, kVariable = 5,
                   kSignature = 7;
}
namespace quantization {
constexpr unsigned kScale = 2, kZeroPoint = 3;
}
namespace operation {
constexpr unsigned kOpcode = 0, kInputs = 1, kOutputs = 2, kOptionsType = 3, kOptions = 4, kCustom = 5;
}
namespace signature {
constexpr unsigned kInputs = 0, kOutputs = 1, kSubgraph = 4;
}

constexpr std::size_t kMostElements = std::size_t{1} << 28;  // of a tensor

[[noreturn]] void unfit(const std::string& what) {
    throw InferenceError("the native engine does not run this model: " + what +
                         "; convert it with `edgeemo convert`");
}

void check_indices(const Table& owner, const Vector& indices, std::size_t n, bool optional) {
    for (std::size_t i = 0; i < indices.n; ++i) {
        const auto index = owner.element<std::int32_t>(indices, i);
        if (optional && index == -1) continue;
        if (index < 0 || static_cast<std::size_t>(index) >= n) broken();
    }
}

void check_tensor(const Table& t, std::size_t buffers) {
    t.text(tensor::kName);
    if (t.scalar<std::uint32_t>(tensor::kBuffer, 0) >= buffers) broken();
    if (t.scalar<std::uint8_t>(tensor::kVariable, 0) != 0) unfit("it has variable tensors");
    const Vector shape = t.vector(tensor::kShape, 4);
    for (std::size_t i = 0; i < shape.n; ++i)
        if (t.element<std::int32_t>(shape, i) < 0) broken();
    t.vector(tensor::kSignature, 4);
    if (!t.has(tensor::kQuantization)) return;
    const Table q = t.table(tensor::kQuantization);
    q.vector(quantization::kScale, 4);
    q.vector(quantization::kZeroPoint, 8);
}

void check_subgraph(const Table& graph, std::size_t opcodes, std::size_t buffers) {
    graph.text(subgraph::kName);
    const Vector tensors = graph.vector(subgraph::kTensors, 4);
    for (std::size_t i = 0; i < tensors.n; ++i) check_tensor(graph.at(tensors, i), buffers);
    check_indices(graph, graph.vector(subgraph::kInputs, 4), tensors.n, false);
    check_indices(graph, graph.vector(subgraph::kOutputs, 4), tensors.n, false);
    const Vector operators = graph.vector(subgraph::kOperators, 4);
    for (std::size_t i = 0; i < operators.n; ++i) {
        const Table op = graph.at(operators, i);
        if (op.scalar<std::uint32_t>(operation::kOpcode, 0) >= opcodes) broken();
        check_indices(op, op.vector(operation::kInputs, 4), tensors.n, true);
        check_indices(op, op.vector(operation::kOutputs, 4), tensors.n, false);
        op.vector(operation::kCustom, 1);
        if (op.scalar<std::uint8_t>(operation::kOptionsType, 0) != 0 && op.has(operation::kOptions))
            op.table(operation::kOptions);
    }
}

ElementType type_of(std::int8_t code) {
    if (code == 0) return ElementType::float32;
    if (code == 2) return ElementType::int32;
    if (code == 9) return ElementType::int8;
    unfit("an input or output is neither float32, int32 nor int8");
}

TensorInfo info_of(const Table& t, std::string name) {
    TensorInfo info;
    info.name = std::move(name);
    info.type = type_of(t.scalar<std::int8_t>(tensor::kType, 0));
    info.count = 1;
    const Vector shape = t.vector(tensor::kShape, 4), open = t.vector(tensor::kSignature, 4);
    for (std::size_t i = 0; i < open.n; ++i)
        if (t.element<std::int32_t>(open, i) < 0) unfit("the shape of " + info.name + " is open");
    for (std::size_t i = 0; i < shape.n; ++i) {
        info.shape.push_back(t.element<std::int32_t>(shape, i));
        info.count *= static_cast<std::size_t>(info.shape.back());
        if (info.count > kMostElements) broken();
    }
    if (info.count == 0 || shape.n > 8) unfit("the shape of " + info.name + " is empty or too deep");
    info.bytes = info.count * (info.type == ElementType::int8 ? 1 : 4);
    if (!t.has(tensor::kQuantization)) return info;
    const Table q = t.table(tensor::kQuantization);
    const Vector scale = q.vector(quantization::kScale, 4), zero = q.vector(quantization::kZeroPoint, 8);
    if (scale.n == 1 && zero.n == 1) {
        info.scale = q.element<float>(scale, 0);
        const auto zero_point = q.element<std::int64_t>(zero, 0);
        if (zero_point < INT32_MIN || zero_point > INT32_MAX) broken();
        info.zero_point = static_cast<std::int32_t>(zero_point);
    }
    return info;
}

// The named tensors of a signature, in the order of the subgraph's own list.
std::vector<TensorInfo> named(const Table& sign, unsigned field, const Table& graph, unsigned graph_field) {
    const Vector maps = sign.vector(field, 4), order = graph.vector(graph_field, 4);
    const Vector tensors = graph.vector(subgraph::kTensors, 4);
    if (maps.n != order.n) unfit("its signature does not name every input and output");
    std::vector<TensorInfo> found;
    for (std::size_t i = 0; i < order.n; ++i) {
        const auto index = graph.element<std::int32_t>(order, i);
        for (std::size_t k = 0; k < maps.n && found.size() == i; ++k) {
            const Table map = sign.at(maps, k);
            if (map.scalar<std::uint32_t>(1, 0) != static_cast<std::uint32_t>(index)) continue;
            found.push_back(info_of(graph.at(tensors, static_cast<std::size_t>(index)), map.text(0)));
        }
        if (found.size() == i) unfit("its signature does not name every input and output");
        for (std::size_t k = 0; k < i; ++k)
            if (found[k].name == found[i].name) unfit("its signature names two tensors alike");
    }
    return found;
}

}  // namespace

ModelShape read_model(const std::uint8_t* data, std::size_t size) {
    if (size < 32 || size > (std::size_t{1} << 31) || std::memcmp(data + 4, "TFL3", 4) != 0) {
        throw BundleCorruptError(
            "the bytes do not begin with a TFLite model; fetch or convert the bundle again");
    }
    const Bytes bytes{data, size};
    const Table root(bytes, bytes.follow(0));
    if (root.scalar<std::uint32_t>(model::kVersion, 0) != 3) unfit("its schema is not version 3");
    const Vector opcodes = root.vector(model::kOpcodes, 4), graphs = root.vector(model::kSubgraphs, 4);
    const Vector buffers = root.vector(model::kBuffers, 4), signs = root.vector(model::kSignatures, 4);
    for (std::size_t i = 0; i < opcodes.n; ++i) root.at(opcodes, i).text(1);
    for (std::size_t i = 0; i < buffers.n; ++i) {
        const Table buffer = root.at(buffers, i);
        buffer.vector(0, 1);
        if (buffer.scalar<std::uint64_t>(1, 0) > 1) unfit("its weights lie outside the flatbuffer");
    }
    const Vector metadata = root.vector(model::kMetadata, 4);
    for (std::size_t i = 0; i < metadata.n; ++i) {
        const Table entry = root.at(metadata, i);
        entry.text(0);
        if (entry.scalar<std::uint32_t>(1, 0) >= buffers.n) broken();
    }
    for (std::size_t i = 0; i < graphs.n; ++i) check_subgraph(root.at(graphs, i), opcodes.n, buffers.n);
    if (signs.n != 1) unfit("it has " + std::to_string(signs.n) + " signatures, not one");
    const Table sign = root.at(signs, 0);
    const auto which = sign.scalar<std::uint32_t>(signature::kSubgraph, 0);
    if (which >= graphs.n) broken();
    const Table graph = root.at(graphs, which);
    ModelShape shape{named(sign, signature::kInputs, graph, subgraph::kInputs),
                     named(sign, signature::kOutputs, graph, subgraph::kOutputs)};
    if (shape.inputs.empty() || shape.outputs.empty()) unfit("it has no inputs or no outputs");
    return shape;
}

}  // namespace edgeemo
