// The inputs whose answers a card keeps, through the bundle's own frontend.
#include <cstring>

#include "bundle/model_parts.h"
#include "edgeemo/golden.h"

namespace edgeemo {
namespace {

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
    const FaceSpec& spec = frontend.spec();
    const std::size_t channels = spec.channels == FaceSpec::Channels::rgb ? 3 : 1;
    std::vector<float> tensor(static_cast<std::size_t>(spec.width) * static_cast<std::size_t>(spec.height) *
                              channels);
    frontend.compute(image, frontend.align(Box{0, 0, kGoldenSide, kGoldenSide}), tensor.data());
    return bytes_of(tensor.data(), tensor.size());
}

}  // namespace

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

}  // namespace edgeemo
