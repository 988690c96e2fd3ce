#include "edgeemo/model_runner.h"

#include <cstring>

#include "edgeemo/errors.h"
#include "edgeemo/quant.h"
#include "edgeemo/stage_clock.h"

namespace edgeemo {

void ModelRunner::run() {
    StageClock::enter(Stage::invoke);
    invoke();
    StageClock::enter(Stage::post);
}

void ModelRunner::write(std::size_t i, const float* values) {
    const TensorInfo& tensor = inputs()[i];
    if (tensor.quantized()) {
        StageClock::enter(Stage::quantize);
        quantize(values, tensor.count, tensor.scale, tensor.zero_point, static_cast<std::int8_t*>(input(i)));
    } else if (tensor.type == ElementType::float32) {
        std::memcpy(input(i), values, tensor.bytes);
    } else {
        throw InputError(tensor.name + " takes no floats; write its memory");
    }
}

void ModelRunner::read(std::size_t i, float* values) const {
    const TensorInfo& tensor = outputs()[i];
    if (tensor.quantized()) {
        StageClock::enter(Stage::dequantize);
        dequantize(static_cast<const std::int8_t*>(output(i)), tensor.count, tensor.scale, tensor.zero_point,
                   values);
        StageClock::enter(Stage::post);
    } else if (tensor.type == ElementType::float32) {
        std::memcpy(values, output(i), tensor.bytes);
    } else {
        throw InferenceError(tensor.name + " gives no floats; convert the model again");
    }
}

}  // namespace edgeemo
