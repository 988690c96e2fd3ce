// Any bytes as PCM through the C ABI, as a clip and as a stream in random chunks: where no samples are
// missing, the stream's summary is the clip's answer. Bytes 0 to 2 choose the rate, 3 channels and kind, 4
// the result, 5 the cuts.
#include "fuzz_abi.h"

namespace {

struct Sound {
    std::unique_ptr<std::uint8_t[]> bytes;
    bool floats = false;
    std::size_t samples = 0, width = 2;  // of all channels, bytes
    std::int32_t channels = 1;

    edgeemo_pcm part(std::size_t first, std::size_t n) const {
        edgeemo_pcm pcm{};
        pcm.struct_size = sizeof pcm;
        pcm.channels = channels;
        pcm.samples = n;
        const void* const at = bytes.get() + first * width;
        (floats ? pcm.float32 : *reinterpret_cast<const float**>(&pcm.int16)) = static_cast<const float*>(at);
        return pcm;
    }
};

Sound sound_of(fuzz::Choices& choose, std::uint32_t kind) {
    Sound sound;
    sound.floats = (kind & 1u) != 0;
    sound.channels = static_cast<std::int32_t>((kind >> 1) % 36) - 1;  // 0 is 1; -1 and 33 are refused
    const std::size_t channels = sound.channels < 1 ? 1 : static_cast<std::size_t>(sound.channels);
    sound.width = channels * (sound.floats ? 4 : 2);
    sound.samples = choose.size() / sound.width;
    sound.bytes = fuzz::exactly(sound.samples * sound.width);
    if (sound.samples != 0) std::memcpy(sound.bytes.get(), choose.data(), sound.samples * sound.width);
    return sound;
}

void take(edgeemo_stream* stream, fuzz::Answer& answer) {
    for (;; answer.again()) {
        const std::int32_t code = edgeemo_stream_next(stream, answer.get());
        if (code == EDGEEMO_NOTHING) return;
        CHECK(code == EDGEEMO_OK);
        answer.check();
    }
}

// Whether all was taken without a gap.
bool hear(edgeemo_stream* stream, const Sound& sound, std::int32_t rate_hz, std::uint32_t seed,
          fuzz::Answer& answer) {
    bool whole = true;
    for (std::size_t first = 0; first < sound.samples;) {
        seed = seed * 1664525u + 1013904223u;
        const std::size_t n = std::min<std::size_t>(seed >> 22, sound.samples - first);  // 0, too
        auto t_ms = static_cast<std::int64_t>(first * 1000 / static_cast<std::size_t>(rate_hz));
        if ((seed >> 8 & 63u) == 0) {
            t_ms += static_cast<std::int64_t>(seed) - (std::int64_t{1} << 31);
            whole = false;
        }
        const edgeemo_pcm chunk = sound.part(first, n);
        whole = fuzz::done(edgeemo_stream_push(stream, &chunk, t_ms)) && whole;
        if ((seed >> 14 & 3u) == 0) take(stream, answer);
        if ((seed >> 16 & 63u) == 0) {
            CHECK(edgeemo_stream_flush(stream) == EDGEEMO_OK);
            whole = false;
        }
        if ((seed >> 16 & 63u) == 1) {
            CHECK(edgeemo_stream_reset(stream) == EDGEEMO_OK);
            whole = false;
        }
        first += n;
    }
    CHECK(edgeemo_stream_flush(stream) == EDGEEMO_OK);
    take(stream, answer);
    return whole;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static edgeemo_recognizer* const recognizer = fuzz::opened("voice");
    if (size > 40000) return 0;
    constexpr std::int32_t kRates[] = {8000, 11025, 16000, 22050, 44100, 48000, 96000, 192000, 7999, 0};
    fuzz::Choices choose(data, size);
    const std::uint32_t rate = choose.byte(), off = choose.word(), kind = choose.byte(),
                        choice = choose.byte(), seed = choose.byte();
    const std::int32_t rate_hz =
        rate < 10 ? kRates[rate] : 8000 + static_cast<std::int32_t>(off * 3 % 184001);
    const Sound sound = sound_of(choose, kind);
    fuzz::Answer answer(recognizer, choice), summary(recognizer, choice);
    const edgeemo_pcm all = sound.part(0, sound.samples);
    const bool clip = fuzz::done(edgeemo_predict_pcm(recognizer, &all, rate_hz, answer.get()));
    if (clip) answer.check();
    edgeemo_stream* stream = nullptr;
    const std::int32_t channels = sound.channels == 0 ? 1 : sound.channels;
    if (!fuzz::done(edgeemo_stream_open(recognizer, rate_hz, channels, &stream))) {
        CHECK(!clip && stream == nullptr);
        return 0;
    }
    fuzz::Answer spans(recognizer, choice);
    const bool whole = hear(stream, sound, rate_hz, seed, spans);
    CHECK(edgeemo_stream_summary(stream, summary.get()) == EDGEEMO_OK);
    summary.check();
    if (clip && whole)
        CHECK(std::memcmp(answer.get()->scores, summary.get()->scores, sizeof summary.get()->scores) == 0);
    edgeemo_stream_close(stream);
    return 0;
}
