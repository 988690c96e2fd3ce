#include "bundle/model_parts.h"

#include <cstdint>
#include <string_view>
#include <vector>

#include "edgeemo/errors.h"

namespace edgeemo {
namespace {

constexpr const char* kVocabulary = "vocab.txt";

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

std::vector<std::string> pieces_of(const Bundle& bundle) {
    const auto found = bundle.assets.find(kVocabulary);
    if (found == bundle.assets.end())
        throw BundleError("The bundle has no vocab.txt; convert the model again with its vocabulary.");
    std::string_view text = found->second;
    if (text.find('\r') != std::string_view::npos)
        throw SpecError("vocab.txt has carriage returns; write its lines with LF.");
    std::vector<std::string> pieces;
    if (text.empty()) return pieces;
    if (text.back() == '\n') text.remove_suffix(1);
    for (std::size_t begin = 0, end = 0; end != std::string_view::npos; begin = end + 1) {
        end = text.find('\n', begin);
        pieces.emplace_back(text.substr(begin, end == std::string_view::npos ? end : end - begin));
    }
    return pieces;
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
