// Voice frontend: from PCM of any rate to the log-mel spans a model was trained on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace edgeemo {

inline constexpr int kVoiceFrontendVersion = 1;  // goes up when the same spec gives other numbers

inline constexpr std::int32_t kLeastRateHz = 8000;  // of the PCM
inline constexpr std::int32_t kMostRateHz = 192000;
inline constexpr std::int32_t kMostChannels = 32;
inline constexpr float kMostAmplitude = 8.0F;  // of float PCM; beyond it, it is int16 passed as float

// How PCM becomes features. A sample is one number and a window holds the samples under one FFT. A frame is
// one mel column, and a span holds the frames that a model sees at once. Frame k is made of samples k * hop
// … k * hop + window - 1.
struct VoiceSpec {
    enum class WindowShape { hann, povey, hamming };
    enum class MelScale { htk, slaney, kaldi };
    enum class MelNorm { none, area };
    enum class Compression { log, pcen };
    enum class Normalization { none, level, mean, mean_std };

    std::int32_t rate_hz = 16000;  // of the model: 8000 to 48000
    double sample_scale = 1.0;     // samples in ±1 are multiplied by it; kaldi's is 32768
    bool remove_dc = true;         // subtract the mean of each window
    double preemphasis = 0.97;  // x[i] - a x[i - 1] inside the window, x[0] - a x[0] at its start; 0 is off
    std::int32_t window = 400;  // samples, 32 to 4096
    std::int32_t hop = 160;     // samples, 1 to window
    std::int32_t fft = 512;     // a power of two, window to 4096
    WindowShape window_shape = WindowShape::hann;  // hann is periodic; povey and hamming symmetric
    std::int32_t mels = 64;                        // 1 to 256
    MelScale mel_scale = MelScale::htk;  // kaldi: HTK's scale, the triangles straight in mel, not in Hz
    MelNorm mel_norm = MelNorm::none;    // area: each triangle divided by half its width in Hz
    double low_hz = 20.0;
    double high_hz = 8000.0;                     // 0 <= low_hz < high_hz <= rate_hz / 2
    Compression compression = Compression::log;  // natural logarithm of max(power, floor), or PCEN
    double floor = 1e-10;                        // of the logarithm, 1e-30 to 1
    double pcen_gain = 0.98;                     // PCEN as librosa has it
    double pcen_bias = 2.0;
    double pcen_power = 0.5;
    double pcen_time_s = 0.4;  // of the smoother, which starts at 1
    double pcen_eps = 1e-6;
    std::int32_t span_frames = 256;  // 1 to 4096
    std::int32_t hop_frames = 50;    // from span to span, 1 to span_frames
    double range_db = 0.0;  // of a span's logarithms: what lies further below the highest is raised; 0 is off
    Normalization normalization = Normalization::level;  // over the real frames of a span
    double gain = 1.0;                                   // multiplies what is normalised

    void validate() const;       // throws SpecError
    std::string digest() const;  // 16 hexadecimal digits, equal exactly for equal specs
};

bool operator==(const VoiceSpec& a, const VoiceSpec& b);
bool operator!=(const VoiceSpec& a, const VoiceSpec& b);

// The caller's samples: int16 (divided by 32768) or float in ±1 (up to ±8 passes), channels interleaved
// (they are averaged). Exactly one pointer is set, or none when there are no samples.
struct Pcm {
    const std::int16_t* int16 = nullptr;
    const float* float32 = nullptr;
    std::size_t samples = 0;  // of one channel
    std::int32_t channels = 1;
};

// The frames that a model sees at once. Frames beyond n_frames are 0.
struct Span {
    const float* features;     // (span_frames, mels), valid during the call that hands it over
    std::int64_t start_frame;  // from the start of the stream
    std::int32_t n_frames;     // real frames, 1 to span_frames
};

using SpanSink = std::function<void(const Span&)>;
using TickSink = std::function<void(std::int64_t n_frames)>;  // frames so far, a multiple of tick_frames

// A stream can also give ticks, and keep frames.
struct VoiceHistory {
    std::int32_t tick_frames = 0;  // from tick to tick; 0: no ticks
    std::int32_t kept_frames = 0;  // beyond a span, for VoiceStream::read
};

struct VoiceParts;  // what a frontend and its streams share

// The state of one input. Any chunks, then flush, give the spans of the whole, bit for bit. Not thread-safe.
//
// A sink may throw. The sink then gets no more spans of that call; they are lost. The stream still takes the
// whole chunk, then passes the exception on to the caller.
class VoiceStream {
  public:
    ~VoiceStream();
    VoiceStream(VoiceStream&&) noexcept;
    VoiceStream& operator=(VoiceStream&&) noexcept;

    // Hands over the spans that have become whole, and the ticks, in the order of their frames. Allocates
    // nothing. Throws what check() throws, and then has not changed.
    void push(const Pcm& chunk, const SpanSink& sink, const TickSink& tick = {});

    // Throws InputError for NaN, infinities, values beyond ±8, other channels, more samples than memory
    // holds, or after flush.
    void check(const Pcm& chunk) const;

    // Hands over what the whole clip has beyond the spans so far. After it, only read and reset.
    void flush(const SpanSink& sink, const TickSink& tick = {});

    // Hands over the frames from `start_frame` on as a span of their own. The first of the `n_frames` lies at
    // most span_frames + kept_frames back; `n_frames` is 1 to span_frames. A tick may call this.
    void read(std::int64_t start_frame, std::int32_t n_frames, const SpanSink& sink);

    // Equals a fresh stream.
    void reset();

    std::int64_t n_frames() const;  // so far
    std::int32_t rate_hz() const;   // of the PCM
    std::int32_t channels() const;

  private:
    friend class VoiceFrontend;
    struct State;
    explicit VoiceStream(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// Immutable; any number of threads may share one.
class VoiceFrontend {
  public:
    explicit VoiceFrontend(const VoiceSpec& spec);  // throws SpecError

    const VoiceSpec& spec() const;

    // Frames in so many samples at a rate. Throws InputError for the rate.
    std::int64_t count_frames(std::size_t samples, std::int32_t rate_hz) const;

    // Writes count_frames() x mels floats, before normalisation. Throws InputError like VoiceStream::check.
    void frames(const Pcm& pcm, std::int32_t rate_hz, float* out) const;

    // Hands over the spans of a whole clip.
    void compute(const Pcm& pcm, std::int32_t rate_hz, const SpanSink& sink) const;

    // Throws InputError for a rate or a number of channels out of range.
    VoiceStream stream(std::int32_t rate_hz, std::int32_t channels = 1,
                       const VoiceHistory& history = {}) const;

  private:
    std::shared_ptr<const VoiceParts> parts_;
};

}  // namespace edgeemo
