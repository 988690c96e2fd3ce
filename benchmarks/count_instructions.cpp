// Our own stages on fixed inputs, one a run, for valgrind to count: count_instructions STAGE, or --built.
//
// Only what happens inside `counted` is counted; everything is built before it, and run once so that what is
// made once is there. The kernels are those named by the stage, whatever the processor has: this file gives
// the choice (mel_kernels, crop_kernels) in place of the library's.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "../cpp/src/face/crop_kernel.h"
#include "../cpp/src/voice/mel.h"
#include "../tests/cpp/voice_sound.h"
#include "edgeemo/detect.h"
#include "edgeemo/face.h"
#include "edgeemo/quant.h"
#include "edgeemo/readout.h"
#include "edgeemo/smooth.h"
#include "edgeemo/text.h"
#include "edgeemo/track.h"

namespace edgeemo {

extern const MelKernel kernel_baseline;
extern const CropKernel crop_baseline;
#ifdef EDGEEMO_X86_KERNELS
extern const MelKernel kernel_avx2;
extern const CropKernel crop_avx2;
#endif

}  // namespace edgeemo

namespace {

bool wide = false;  // AVX2 in place of the baseline; valgrind knows nothing wider

using Work = std::function<void()>;

}  // namespace

namespace edgeemo {

std::vector<const MelKernel*> mel_kernels() {
#ifdef EDGEEMO_X86_KERNELS
    if (wide) return {&kernel_avx2};
#endif
    return {&kernel_baseline};
}

std::vector<const CropKernel*> crop_kernels() {
#ifdef EDGEEMO_X86_KERNELS
    if (wide) return {&crop_avx2};
#endif
    return {&crop_baseline};
}

}  // namespace edgeemo

extern "C" __attribute__((noinline)) void counted(const Work& work) { work(); }

namespace {

using namespace edgeemo;

// Numbers without libm and the same everywhere.
class Noise {
  public:
    float next(float low, float high) {
        state_ = state_ * 1664525u + 1013904223u;
        return low + static_cast<float>(state_ >> 16) * (high - low) / 65536.0F;
    }
    std::vector<float> many(std::size_t n, float low, float high) {
        std::vector<float> made(n);
        for (float& x : made) x = next(low, high);
        return made;
    }

  private:
    std::uint32_t state_ = 2654435761u;
};

Work text(TextSpec::Normalization normalization) {
    std::vector<std::string> pieces{"[PAD]", "[UNK]", "[CLS]", "[SEP]"};
    for (char c = 'a'; c <= 'z'; ++c) pieces.insert(pieces.end(), {std::string(1, c), std::string("##") + c});
    for (const char* piece :
         {"the", "happy", "##ing", "##ed", "and", "was", "not", "ich", "так", "日", "é"}) {
        pieces.emplace_back(piece);
    }
    TextSpec spec;
    spec.normalization = normalization;
    spec.length = 256;
    const auto frontend = std::make_shared<TextFrontend>(spec, pieces);
    const auto ids = std::make_shared<std::vector<std::int32_t>>(256);
    return [frontend, ids] {
        for (const char* sentence :
             {"I can't believe how kind everybody was to me yesterday; it made my whole week, not just the "
              "day.",
              "Ich kann kaum glauben, wie schön das gestern war – danke für alles! \U0001F600",
              "Это был лучший день в моей жизни, спасибо! 今日はとても悲しい一日でした。",
              "Je suis vraiment déçu, ça fait déjà trois fois que le train est annulé."}) {
            frontend->encode(sentence, ids->data());
        }
    };
}

Work voice(VoiceSpec::Compression compression, std::int32_t rate_hz) {
    VoiceSpec spec;
    spec.compression = compression;
    const VoiceFrontend frontend(spec);
    const auto sound =
        std::make_shared<std::vector<std::int16_t>>(synthetic(static_cast<std::size_t>(rate_hz) * 3, 1));
    const auto stream = std::make_shared<VoiceStream>(frontend.stream(rate_hz));
    return [sound, stream] {
        stream->reset();
        const std::size_t chunk = 1600;
        for (std::size_t at = 0; at < sound->size(); at += chunk) {
            Pcm pcm;
            pcm.int16 = sound->data() + at;
            pcm.samples = std::min(chunk, sound->size() - at);
            stream->push(pcm, [](const Span&) {});
        }
        stream->flush([](const Span&) {});
    };
}

Work face(FaceSpec::Channels channels, bool turned) {
    FaceSpec spec;
    spec.channels = channels;
    const FaceFrontend frontend(spec);
    const auto bytes = std::make_shared<std::vector<std::uint8_t>>(640 * 480 * 3);
    Noise noise;
    for (std::uint8_t& byte : *bytes) byte = static_cast<std::uint8_t>(noise.next(0.0F, 255.0F));
    const Image image{bytes->data(), 640, 480, Color::rgb, 640 * 3, 3, 1};
    const Alignment crop = turned ? frontend.align(Eyes{{{200.0, 200.0}, {300.0, 220.0}}})
                                  : frontend.align(Box{101.0, 82.0, 402.0, 383.0});
    const auto tensor = std::make_shared<std::vector<std::int8_t>>(spec.size());
    return [frontend, bytes, image, crop, tensor] {
        frontend.compute(image, crop, 1.0F / 255.0F, -128, tensor->data());
    };
}

std::vector<Face> faces_at(int t) {
    std::vector<Face> faces;
    for (int i = 0; i < 6; ++i) {
        Face face;
        const double x = 150.0 * i + 2.0 * t, y = 80.0 + 10.0 * (i % 3);
        face.box = {x, y, x + 100.0, y + 110.0};
        face.eyes = {{{x + 30.0, y + 40.0}, {x + 70.0, y + 40.0}}};
        face.score = 0.9;
        if ((t + i) % 7 != 0) faces.push_back(face);
    }
    return faces;
}

Work detect() {
    DetectorSpec spec;
    const FaceDecoder decoder(spec);
    Noise noise;
    const auto logits = noise.many(spec.cells(), -9.0F, 1.0F);
    const auto boxes = noise.many(4 * spec.cells(), -1.0F, 2.0F);
    const auto eyes = noise.many(4 * spec.cells(), -0.5F, 0.5F);
    return [=] { decoder.decode(logits.data(), boxes.data(), eyes.data(), {5.0, 0.25, -3.0, -100.0}); };
}

Work track() {
    const auto tracker = std::make_shared<FaceTracker>(TrackerSpec{});
    const auto frames = std::make_shared<std::vector<std::vector<Face>>>();
    for (int t = 0; t < 50; ++t) frames->push_back(faces_at(t));
    return [tracker, frames] {
        tracker->reset();
        for (std::size_t t = 0; t < frames->size(); ++t) {
            tracker->update((*frames)[t], 40 * static_cast<std::int64_t>(t));
        }
    };
}

Work smooth() {
    Noise noise;
    const auto row = noise.many(18, 0.0F, 1.0F);
    const auto smoother = std::make_shared<Smoother>(18, 300.0);
    return [=] {
        smoother->reset();
        std::vector<float> mean(18);
        for (std::int64_t t = 0; t < 200; ++t) smoother->update(t % 3, row.data(), 0.8, 40 * t, mean.data());
    };
}

Work readout(bool multi_label) {
    ReadoutRule rule;
    const std::size_t labels = 28;
    rule.scores.multi_label = multi_label;
    rule.scores.scale.assign(labels, 1.1F);
    rule.scores.bias.assign(labels, -0.1F);
    rule.scores.groups.resize(kEmotions);
    for (std::size_t i = 0; i < labels; ++i) rule.scores.groups[i % 7].push_back(static_cast<int>(i));
    rule.affect.assign(labels, {0.3F, -0.2F});
    rule.thresholds.assign(labels, 0.4F);
    rule.neutral = {0};
    const auto made = std::make_shared<Readout>(rule);
    Noise noise;
    const auto logits = noise.many(labels, -5.0F, 3.0F);
    return [made, logits] {
        std::vector<float> row(made->row_size());
        for (int i = 0; i < 100; ++i) made->read(logits.data(), nullptr, row.data());
    };
}

Work quantized() {
    Noise noise;
    const auto values = noise.many(16384, -3.0F, 3.0F);
    return [values] {
        std::vector<std::int8_t> bytes(values.size());
        std::vector<float> back(values.size());
        quantize(values.data(), values.size(), 0.02F, 3, bytes.data());
        dequantize(bytes.data(), bytes.size(), 0.02F, 3, back.data());
    };
}

using Stages = std::map<std::string, std::function<Work()>>;

Stages stages() {
    using Compression = VoiceSpec::Compression;
    using Channels = FaceSpec::Channels;
    Stages all{
        {"text nfkc", [] { return text(TextSpec::Normalization::nfkc); }},
        {"text bert", [] { return text(TextSpec::Normalization::bert); }},
        {"detect", detect},
        {"track", track},
        {"smooth", smooth},
        {"readout any", [] { return readout(true); }},
        {"readout one", [] { return readout(false); }},
        {"quantize", quantized},
    };
    const Stages with_kernels{
        {"voice log", [] { return voice(Compression::log, 16000); }},
        {"voice resampled", [] { return voice(Compression::log, 44100); }},
        {"voice pcen", [] { return voice(Compression::pcen, 16000); }},
        {"face upright gray", [] { return face(Channels::gray, false); }},
        {"face upright rgb", [] { return face(Channels::rgb, false); }},
        {"face turned gray", [] { return face(Channels::gray, true); }},
    };
    for (const auto& [name, make] : with_kernels) {
        all.emplace(name + ", baseline", make);
#ifdef EDGEEMO_X86_KERNELS
        if (__builtin_cpu_supports("avx2")) all.emplace(name + ", avx2", make);
#endif
    }
    return all;
}

}  // namespace

int main(int argc, char** argv) {
    const Stages all = stages();
    if (argc == 2 && std::strcmp(argv[1], "--built") == 0) {
        std::printf("{\"compiler\": \"%s\", \"flags\": \"%s\", \"architecture\": \"%s\", \"stages\": [",
                    EDGEEMO_COMPILER, EDGEEMO_FLAGS, EDGEEMO_ARCHITECTURE);
        const char* comma = "";
        for (const auto& stage : all) {
            std::printf("%s\"%s\"", comma, stage.first.c_str());
            comma = ", ";
        }
        std::printf("]}\n");
        return 0;
    }
    const auto found = argc == 2 ? all.find(argv[1]) : all.end();
    if (found == all.end()) {
        std::fprintf(stderr, "usage: %s STAGE, or --built, which lists the stages\n", argv[0]);
        return 2;
    }
    wide = found->first.find(", avx2") != std::string::npos;
    const Work work = found->second();
    work();  // what is made once is made
    counted(work);
    return 0;
}
