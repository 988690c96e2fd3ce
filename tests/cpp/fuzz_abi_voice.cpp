// Any bytes as PCM through the C ABI, as a clip and as a stream in random chunks: where no samples are
// missing, the stream's summary is the clip's answer. Runs of the model may fail: what else the stream says
// is then what a stream beside it says, whose model works. Bytes 0 to 2 choose the rate, 3 channels and
// kind, 4 the result, 5 the cuts. Byte 6 chooses how often the sound is heard, 7 whether runs fail.
#include <array>

#include "fuzz_abi.h"
#include "stand_in.h"

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

Sound sound_of(fuzz::Choices& choose, std::uint32_t kind, std::size_t times) {
    constexpr std::size_t kMost = 120000;  // seven seconds, or nine spans, at the model's rate
    Sound sound;
    sound.floats = (kind & 1u) != 0;
    sound.channels = static_cast<std::int32_t>((kind >> 1) % 36) - 1;  // 0 is 1; -1 and 33 are refused
    const std::size_t channels = sound.channels < 1 ? 1 : static_cast<std::size_t>(sound.channels);
    sound.width = channels * (sound.floats ? 4 : 2);
    const std::size_t once = choose.size() / sound.width;
    times = once == 0 ? 0 : std::max<std::size_t>(1, std::min(times, kMost / once));
    sound.samples = once * times;
    sound.bytes = fuzz::exactly(sound.samples * sound.width);
    for (std::size_t i = 0; i < times; ++i)
        std::memcpy(sound.bytes.get() + i * once * sound.width, choose.data(), once * sound.width);
    return sound;
}

// A stream, and what it said since it was last asked.
class OpenStream {
  public:
    using Said = std::vector<std::array<double, 12>>;

    OpenStream(edgeemo_recognizer* recognizer, std::int32_t rate_hz, std::int32_t channels,
               std::uint32_t choice)
        : answer_(recognizer, choice) {
        opened = fuzz::done(edgeemo_stream_open(recognizer, rate_hz, channels, &stream));
        CHECK(opened == (stream != nullptr));
    }
    ~OpenStream() { edgeemo_stream_close(stream); }
    OpenStream(const OpenStream&) = delete;
    OpenStream& operator=(const OpenStream&) = delete;

    Said said() {
        Said all;
        for (;; answer_.again()) {
            const std::int32_t code = edgeemo_stream_next(stream, answer_.get());
            if (code == EDGEEMO_NOTHING) return all;
            CHECK(code == EDGEEMO_OK);
            answer_.check();
            const edgeemo_result& r = *answer_.get();
            all.push_back({static_cast<double>(r.start_ms), static_cast<double>(r.end_ms),
                           static_cast<double>(r.evidence), static_cast<double>(r.valence)});
            std::copy(std::begin(r.scores), std::end(r.scores), all.back().begin() + 4);
        }
    }

    edgeemo_stream* stream = nullptr;
    bool opened = false;

  private:
    fuzz::Answer answer_;
};

// The same calls to a stream whose model may fail and to one whose model works.
struct Streams {
    OpenStream &one, &other;
    bool fails;          // ever
    bool lost = false;   // something, since they were last asked
    bool apart = false;  // a chunk behind a gap that one of them may not have taken

    // Whether it was done; else refused, or the model failed.
    template <class Call>
    bool both(std::uint32_t seed, bool gap, const Call& call) {
        const std::int32_t expected = fails ? call(other.stream) : EDGEEMO_OK;
        if (fails)
            edgeemo::fail_runs(static_cast<int>((seed >> 9 & 7u) / 4), static_cast<int>(seed >> 12 & 1u));
        const std::int32_t code = call(one.stream);
        if (fails) edgeemo::fail_runs(0, 0);
        const bool failed = fails && code == EDGEEMO_ERROR_INFERENCE;
        lost = lost || failed;
        apart = apart || (failed && gap);
        CHECK(!fails || failed || code == expected);
        return !failed && fuzz::done(code);
    }

    void ask() {
        const OpenStream::Said some = one.said();
        if (!fails) return;
        const OpenStream::Said all = other.said();
        if (!apart && !lost) CHECK(some == all);
        if (!apart && lost) {
            auto at = all.begin();
            for (const auto& one : some) CHECK((at = std::find(at, all.end(), one)) != all.end());
        }
        lost = false;
    }

    // From here on they agree again, whatever was lost.
    void meet() {
        ask();
        apart = false;
    }
};

// Whether all was taken without a gap.
bool hear(Streams& streams, const Sound& sound, std::int32_t rate_hz, std::uint32_t seed, std::size_t times) {
    bool whole = true, missing = false;  // of samples, before the chunk
    for (std::size_t first = 0; first < sound.samples;) {
        seed = seed * 1664525u + 1013904223u;
        const std::size_t n = std::min<std::size_t>((seed >> 22) * times, sound.samples - first);  // 0, too
        auto t_ms = static_cast<std::int64_t>(first * 1000 / static_cast<std::size_t>(rate_hz));
        const bool jumps = (seed >> 8 & 63u) == 0;
        if (jumps) t_ms += static_cast<std::int64_t>(seed) - (std::int64_t{1} << 31);
        const edgeemo_pcm chunk = sound.part(first, n);
        const auto push = [&](edgeemo_stream* to) { return edgeemo_stream_push(to, &chunk, t_ms); };
        const bool taken = streams.both(seed, jumps || missing, push);
        whole = whole && taken && !jumps;
        if (n != 0) missing = jumps || !taken;
        if ((seed >> 14 & 3u) == 0) streams.ask();
        if ((seed >> 16 & 63u) < 2) {
            const auto end = (seed >> 16 & 63u) == 0 ? edgeemo_stream_flush : edgeemo_stream_reset;
            streams.both(seed >> 3, false, end);
            streams.meet();
            whole = missing = false;
        }
        first += n;
    }
    whole = streams.both(seed, false, edgeemo_stream_flush) && whole;
    streams.meet();
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
    const std::size_t times = 1 + choose.byte();
    const bool fails = choose.byte() % 2 != 0;
    const std::int32_t rate_hz =
        rate < 10 ? kRates[rate] : 8000 + static_cast<std::int32_t>(off * 3 % 184001);
    const Sound sound = sound_of(choose, kind, times);
    fuzz::Answer answer(recognizer, choice), summary(recognizer, choice);
    const edgeemo_pcm all = sound.part(0, sound.samples);
    const bool clip = fuzz::done(edgeemo_predict_pcm(recognizer, &all, rate_hz, answer.get()));
    if (clip) answer.check();
    OpenStream one(recognizer, rate_hz, sound.channels, choice),
        other(recognizer, rate_hz, sound.channels, choice);
    if (!one.opened) {
        CHECK(!clip);
        return 0;
    }
    Streams streams{one, other, fails};
    const bool whole = hear(streams, sound, rate_hz, seed, times);
    CHECK(edgeemo_stream_summary(one.stream, summary.get()) == EDGEEMO_OK);
    summary.check();
    if (clip && whole)
        CHECK(std::memcmp(answer.get()->scores, summary.get()->scores, sizeof summary.get()->scores) == 0);
    return 0;
}
