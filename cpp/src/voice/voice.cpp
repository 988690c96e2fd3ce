#include "edgeemo/voice.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <exception>
#include <mutex>
#include <utility>
#include <vector>

#include "edgeemo/errors.h"
#include "voice/mel.h"
#include "voice/pcen.h"
#include "voice/pcm.h"
#include "voice/resample.h"
#include "voice/spans.h"

namespace edgeemo {

// Tables of one spec. The filters of other rates are made when first asked for; the last few are kept.
struct VoiceParts {
    explicit VoiceParts(const VoiceSpec& s)
        : spec((s.validate(), s)), tables(s), kernel(mel_kernels().back()) {}

    // Null for the rate of the model.
    std::shared_ptr<const ResampleTable> filter(std::int32_t rate_hz) const {
        if (rate_hz == spec.rate_hz) return nullptr;
        const std::lock_guard<std::mutex> lock(mutex);
        for (const auto& [hz, table] : filters) {
            if (hz == rate_hz) return table;
        }
        auto& slot = filters[next_filter++ % filters.size()];
        slot = {rate_hz, std::make_shared<const ResampleTable>(rate_hz, spec.rate_hz)};
        return slot.second;
    }

    VoiceSpec spec;
    MelTables tables;
    const MelKernel* kernel;

  private:
    mutable std::mutex mutex;
    mutable std::array<std::pair<std::int32_t, std::shared_ptr<const ResampleTable>>, 4> filters;
    mutable std::size_t next_filter = 0;
};

namespace {

// From PCM to frames: everything is a function of the absolute index of sample and frame, never of the chunk.
class FrameMaker {
  public:
    FrameMaker(const VoiceParts& parts, std::int32_t rate_hz)
        : parts_(&parts), filter_(parts.filter(rate_hz)), scratch_(parts.tables), pcen_(parts.spec) {
        if (filter_) resampler_ = std::make_unique<Resampler>(*filter_, *parts.kernel);
        samples_.resize(parts.tables.window + (filter_ ? resampler_->most_out() : kBlock));
    }

    void reset() {
        n_samples_ = 0;
        if (resampler_) resampler_->reset();
        pcen_.reset();
    }

    template <class Rows>
    void push(const Pcm& pcm, Rows& rows) {
        const std::size_t block = filter_ ? Resampler::kBlock : kBlock;
        for (std::size_t first = 0; first < pcm.samples; first += block) {
            const std::size_t n = std::min(block, pcm.samples - first);
            float* const tail = samples_.data() + n_samples_;
            mix(pcm, first, n, filter_ ? resampler_->tail() : tail);
            n_samples_ += filter_ ? resampler_->push(n, tail) : n;
            drain(rows);
        }
    }

    template <class Rows>
    void flush(Rows& rows) {
        if (!filter_) return;
        n_samples_ += resampler_->flush(samples_.data() + n_samples_);
        drain(rows);
    }

  private:
    static constexpr std::size_t kBlock = 4096;

    template <class Rows>
    void drain(Rows& rows) {
        const MelTables& t = parts_->tables;
        if (n_samples_ < t.window) return;
        const std::size_t frames = (n_samples_ - t.window) / t.hop + 1;
        for (std::size_t done = 0; done < frames;) {
            const std::size_t n = std::min(frames - done, SpanCutter::kBatch);
            float* const out = rows.room(n);
            parts_->kernel->power(t, samples_.data() + done * t.hop, n, scratch_, out);
            compress(out, n);
            rows.add(n);
            done += n;
        }
        n_samples_ -= frames * t.hop;
        std::memmove(samples_.data(), samples_.data() + frames * t.hop, n_samples_ * sizeof(float));
    }

    void compress(float* rows, std::size_t n) {
        const VoiceSpec& spec = parts_->spec;
        if (spec.compression == VoiceSpec::Compression::pcen) {
            pcen_.apply(rows, n);
        } else {
            parts_->kernel->log(rows, n * parts_->tables.mels, static_cast<float>(spec.floor));
        }
    }

    const VoiceParts* parts_;
    std::shared_ptr<const ResampleTable> filter_;
    std::unique_ptr<Resampler> resampler_;
    MelScratch scratch_;
    Pcen pcen_;
    std::vector<float> samples_;  // at the rate of the model, from the next frame on
    std::size_t n_samples_ = 0;
};

struct ToMemory {
    float* at;
    std::size_t mels;
    float* room(std::size_t) const { return at; }
    void add(std::size_t n) { at += n * mels; }
};

struct ToSpans {
    SpanCutter& spans;
    const SpanSink& sink;
    const TickSink& tick;
    float* room(std::size_t n) const { return spans.room(n); }
    void add(std::size_t n) const { spans.add(n, sink, tick); }
};

// Calls `work` with sinks that never throw. An exception of the caller's sinks waits until the stream has
// taken all samples. Until then the caller's sinks get nothing more.
template <class Work>
void in_time(const SpanSink& sink, const TickSink& tick, const Work& work) {
    std::exception_ptr failed;
    const auto safely = [&](const auto& call) {
        if (failed) return;
        try {
            call();
        } catch (...) {
            failed = std::current_exception();
        }
    };
    const SpanSink safe_sink = [&](const Span& span) { safely([&] { sink(span); }); };
    TickSink safe_tick;
    if (tick) safe_tick = [&](std::int64_t n_frames) { safely([&] { tick(n_frames); }); };
    work(safe_sink, safe_tick);
    if (failed) std::rethrow_exception(failed);
}

}  // namespace

struct VoiceStream::State {
    State(std::shared_ptr<const VoiceParts> p, std::int32_t hz, std::int32_t n, const VoiceHistory& history)
        : parts(std::move(p)), rate_hz(hz), channels(n), maker(*parts, hz), spans(parts->spec, history) {}

    std::shared_ptr<const VoiceParts> parts;
    std::int32_t rate_hz, channels;
    FrameMaker maker;
    SpanCutter spans;
    bool flushed = false;
};

VoiceStream::VoiceStream(std::unique_ptr<State> state) : state_(std::move(state)) {}
VoiceStream::~VoiceStream() = default;
VoiceStream::VoiceStream(VoiceStream&&) noexcept = default;
VoiceStream& VoiceStream::operator=(VoiceStream&&) noexcept = default;

void VoiceStream::check(const Pcm& chunk) const {
    if (state_->flushed) throw InputError("the stream was flushed; call reset() before the next push");
    if (chunk.channels != state_->channels) {
        throw InputError("the stream has " + std::to_string(state_->channels) + " channels, the chunk " +
                         std::to_string(chunk.channels) +
                         "; open a stream with channels=" + std::to_string(chunk.channels));
    }
    check_pcm(chunk);
}

void VoiceStream::push(const Pcm& chunk, const SpanSink& sink, const TickSink& tick) {
    check(chunk);
    in_time(sink, tick, [&](const SpanSink& safe_sink, const TickSink& safe_tick) {
        ToSpans rows{state_->spans, safe_sink, safe_tick};
        state_->maker.push(chunk, rows);
    });
}

void VoiceStream::flush(const SpanSink& sink, const TickSink& tick) {
    if (std::exchange(state_->flushed, true)) return;
    in_time(sink, tick, [&](const SpanSink& safe_sink, const TickSink& safe_tick) {
        ToSpans rows{state_->spans, safe_sink, safe_tick};
        state_->maker.flush(rows);
        state_->spans.finish(safe_sink);
    });
}

void VoiceStream::read(std::int64_t start_frame, std::int32_t n_frames, const SpanSink& sink) {
    state_->spans.read(start_frame, static_cast<std::size_t>(n_frames), sink);
}

void VoiceStream::reset() {
    state_->maker.reset();
    state_->spans.reset();
    state_->flushed = false;
}

std::int64_t VoiceStream::n_frames() const { return state_->spans.n_frames(); }
std::int32_t VoiceStream::rate_hz() const { return state_->rate_hz; }
std::int32_t VoiceStream::channels() const { return state_->channels; }

VoiceFrontend::VoiceFrontend(const VoiceSpec& spec) : parts_(std::make_shared<const VoiceParts>(spec)) {}

const VoiceSpec& VoiceFrontend::spec() const { return parts_->spec; }

std::int64_t VoiceFrontend::count_frames(std::size_t samples, std::int32_t rate_hz) const {
    check_rate(rate_hz);
    const VoiceSpec& spec = parts_->spec;
    const std::int64_t n = resampled(static_cast<std::int64_t>(samples), rate_hz, spec.rate_hz);
    return n < spec.window ? 0 : (n - spec.window) / spec.hop + 1;
}

void VoiceFrontend::frames(const Pcm& pcm, std::int32_t rate_hz, float* out) const {
    check_rate(rate_hz);
    check_pcm(pcm);
    FrameMaker maker(*parts_, rate_hz);
    ToMemory rows{out, parts_->tables.mels};
    maker.push(pcm, rows);
    maker.flush(rows);
}

void VoiceFrontend::compute(const Pcm& pcm, std::int32_t rate_hz, const SpanSink& sink) const {
    VoiceStream whole = stream(rate_hz, pcm.channels);
    whole.push(pcm, sink);
    whole.flush(sink);
}

VoiceStream VoiceFrontend::stream(std::int32_t rate_hz, std::int32_t channels,
                                  const VoiceHistory& history) const {
    check_rate(rate_hz);
    check_channels(channels);
    return VoiceStream(std::make_unique<VoiceStream::State>(parts_, rate_hz, channels, history));
}

}  // namespace edgeemo
