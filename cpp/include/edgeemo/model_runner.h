// The seam between edgeemo and whatever runs a model: our engine, or a backend that a caller brings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace edgeemo {

enum class ElementType { float32, int32, int8 };

// A tensor of a model by the name its signature gives it; `scale` is 0 where the tensor is not quantized.
struct TensorInfo {
    std::string name;
    ElementType type = ElementType::float32;
    std::vector<std::int32_t> shape;
    float scale = 0.0F;
    std::int32_t zero_point = 0;
    std::size_t count = 0;  // elements
    std::size_t bytes = 0;

    bool quantized() const { return type == ElementType::int8 && scale > 0.0F; }
};

// One thread at a time. Every caller writes inputs, calls run(), and reads outputs. The stage clock of the
// thread (stage_clock.h) hears of each step here, and nowhere else.
class ModelRunner {
  public:
    virtual ~ModelRunner() = default;

    virtual const std::vector<TensorInfo>& inputs() const = 0;  // sorted by name
    virtual const std::vector<TensorInfo>& outputs() const = 0;

    // The runner's own memory, valid as long as the runner lives.
    virtual void* input(std::size_t i) = 0;
    virtual const void* output(std::size_t i) const = 0;

    // Throws InferenceError.
    void run();

    // Floats into an input. An int8 input is quantized by the one rule (quant.h). Throws InputError for NaN.
    void write(std::size_t i, const float* values);

    // An output as floats. An int8 output is dequantized. Throws InferenceError for an output of int32.
    void read(std::size_t i, float* values) const;

  protected:
    ModelRunner() = default;
    ModelRunner(const ModelRunner&) = default;
    ModelRunner(ModelRunner&&) = default;
    ModelRunner& operator=(const ModelRunner&) = default;
    ModelRunner& operator=(ModelRunner&&) = default;

  private:
    virtual void invoke() = 0;
};

}  // namespace edgeemo
