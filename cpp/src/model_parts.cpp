#include "model_parts.h"

#include <cstdint>
#include <vector>

#include "edgeemo/errors.h"

namespace edgeemo {
namespace {

struct Wanted {
    std::vector<std::int32_t> shape;
    ElementType type;
    std::string digest;
};

Wanted wanted_by(const Card& card) {
    if (const auto* text = std::get_if<TextSpec>(&card.spec))
        return {{1, text->length}, ElementType::int32, text->digest()};
    if (const auto* voice = std::get_if<VoiceSpec>(&card.spec))
        return {{1, voice->span_frames, voice->mels}, ElementType::float32, voice->digest()};
    const auto& face = std::get<FaceSpec>(card.spec);
    const std::int32_t channels = face.channels == FaceSpec::Channels::rgb ? 3 : 1;
    return {{1, face.height, face.width, channels}, ElementType::float32, face.digest()};
}

}  // namespace

void mismatch(const Card& card, const std::string& what) {
    throw BundleMismatchError(card.name + ": " + what + ". Convert it again.");
}

void check_fit(const Card& card, const Engine& engine) {
    const Wanted wanted = wanted_by(card);
    const auto& inputs = engine.inputs();
    const bool fits =
        inputs.size() == 1 && inputs[0].shape == wanted.shape &&
        (inputs[0].type == wanted.type || (wanted.type == ElementType::float32 && inputs[0].quantized()));
    if (!fits) mismatch(card, "the model does not take what its frontend makes");
    if (wanted.digest != card.spec_digest)
        mismatch(card,
                 "its frontend spec has digest " + wanted.digest + ", the card says " + card.spec_digest);
}

EngineOptions checked_already(const EngineOptions& options) {
    EngineOptions same = options;
    same.sha256 = {};
    return same;
}

void fill(Engine& engine, const FaceFrontend& frontend, const Image& image, const Alignment& crop) {
    const TensorInfo& input = engine.inputs()[0];
    if (input.quantized()) {
        frontend.compute(image, crop, input.scale, input.zero_point,
                         static_cast<std::int8_t*>(engine.input(0)));
    } else {
        frontend.compute(image, crop, static_cast<float*>(engine.input(0)));
    }
}

}  // namespace edgeemo
