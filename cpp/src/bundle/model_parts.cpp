#include "bundle/model_parts.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "edgeemo/errors.h"
#include "edgeemo/golden.h"

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

// Shape and type as a reader sees them: (1, 48) int32.
std::string shown(const TensorInfo& tensor) {
    constexpr std::array<const char*, 3> kTypes{"float32", "int32", "int8"};
    std::string text = "(";
    for (std::size_t i = 0; i < tensor.shape.size(); ++i)
        text += (i == 0 ? "" : ", ") + std::to_string(tensor.shape[i]);
    return text + (tensor.shape.size() == 1 ? ",) " : ") ") + kTypes[static_cast<std::size_t>(tensor.type)];
}

template <class T>
Golden bytes_of(const T* values, std::size_t n) {
    const auto* const bytes = reinterpret_cast<const std::uint8_t*>(values);
    return {bytes, bytes + n * sizeof(T)};
}

Golden of_text(const TextFrontend& frontend, const std::string& text) {
    std::vector<std::int32_t> ids(static_cast<std::size_t>(frontend.spec().length));
    frontend.encode(text, ids.data());
    return bytes_of(ids.data(), ids.size());
}

Golden of_signal(const VoiceFrontend& frontend, const std::string& name) {  // its first span
    const std::vector<std::int16_t> samples = golden_signal(name);
    const VoiceSpec& spec = frontend.spec();
    const std::size_t n = static_cast<std::size_t>(spec.span_frames) * static_cast<std::size_t>(spec.mels);
    Golden found;
    frontend.compute({samples.data(), nullptr, samples.size(), 1}, kGoldenRateHz, [&](const Span& span) {
        if (found.empty()) found = bytes_of(span.features, n);
    });
    return found;
}

Golden of_drawing(const FaceFrontend& frontend, const std::string& name) {
    const std::vector<std::uint8_t> pixels = golden_drawing(name);
    if (pixels.empty()) return {};
    Image image;
    image.pixels = pixels.data();
    image.width = image.height = kGoldenSide;
    image.color = Color::gray;
    image.pixel_stride = 1;
    image.row_stride = kGoldenSide;
    std::vector<float> tensor(frontend.spec().size());
    frontend.compute(image, frontend.align(Box{0, 0, kGoldenSide, kGoldenSide}), tensor.data());
    return bytes_of(tensor.data(), tensor.size());
}

}  // namespace

void mismatch(const Card& card, const std::string& what) {
    throw BundleMismatchError(card.name + ": " + what + ". Convert it again.");
}

void check_fit(const Card& card, const std::vector<TensorInfo>& inputs) {
    const Wanted wanted = wanted_by(card);
    const bool fits =
        inputs.size() == 1 && inputs[0].shape == wanted.shape &&
        (inputs[0].type == wanted.type || (wanted.type == ElementType::float32 && inputs[0].quantized()));
    if (!fits) {
        std::string taken;
        for (const TensorInfo& input : inputs) taken += (taken.empty() ? "" : " and ") + shown(input);
        TensorInfo made;
        made.type = wanted.type;
        made.shape = wanted.shape;
        mismatch(card, "the model takes " + (taken.empty() ? "nothing" : taken) + ", its frontend makes " +
                           shown(made));
    }
    if (wanted.digest != card.spec_digest)
        mismatch(card,
                 "its frontend spec has digest " + wanted.digest + ", the card says " + card.spec_digest);
}

std::size_t output_of(const Card& card, const std::vector<TensorInfo>& outputs, const std::string& name,
                      const char* role, const std::vector<std::int32_t>& shape) {
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        if (outputs[i].name != name) continue;
        if ((shape.empty() || outputs[i].shape == shape) && outputs[i].type != ElementType::int32) return i;
        TensorInfo wanted = outputs[i];
        if (wanted.type == ElementType::int32) wanted.type = ElementType::float32;
        if (!shape.empty()) wanted.shape = shape;
        mismatch(card, std::string("its ") + role + " need an output " + name + " of " + shown(wanted) +
                           ", the model's is " + shown(outputs[i]));
    }
    mismatch(card, "the model has no output " + name);
}

std::vector<std::string> pieces_of(const Assets& assets) {
    const auto found = assets.find(kVocabulary);
    if (found == assets.end())
        throw BundleError("The bundle has no vocab.txt; convert the model again with its vocabulary.");
    std::string_view text = found->second;
    if (unicode::well_formed(text, text.size()) != text)
        throw BundleCorruptError("vocab.txt is not UTF-8; convert the model again.");
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

std::vector<Golden> goldens_of(const Card& card, const Assets& assets) {
    std::vector<Golden> found;
    const auto add = [&](const auto& frontend, auto* make) {
        for (const std::string& input : card.golden)
            if (Golden golden = make(frontend, input); !golden.empty()) found.push_back(std::move(golden));
    };
    if (const auto* spec = std::get_if<TextSpec>(&card.spec))
        add(TextFrontend(*spec, pieces_of(assets)), &of_text);
    if (const auto* spec = std::get_if<VoiceSpec>(&card.spec)) add(VoiceFrontend(*spec), &of_signal);
    if (const auto* spec = std::get_if<FaceSpec>(&card.spec)) add(FaceFrontend(*spec), &of_drawing);
    return found;
}

std::shared_ptr<LoadedModel> load_model(const Bundle& bundle, const EngineOptions& options) {
    OpenedEngine opened =
        open_engine(bundle.model, options, [&] { return goldens_of(bundle.card, bundle.assets); });
    const std::string library = opened.engine.library();
    return std::make_shared<LoadedModel>(std::make_unique<Engine>(std::move(opened.engine)), opened.delegate,
                                         opened.reason, library);
}

void fill(ModelRunner& runner, const FaceFrontend& frontend, const Image& image, const Alignment& crop) {
    const TensorInfo& input = runner.inputs()[0];
    if (input.quantized()) {
        frontend.compute(image, crop, input.scale, input.zero_point,
                         static_cast<std::int8_t*>(runner.input(0)));
    } else {
        frontend.compute(image, crop, static_cast<float*>(runner.input(0)));
    }
}

}  // namespace edgeemo
