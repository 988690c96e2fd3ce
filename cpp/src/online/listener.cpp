#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "edgeemo/errors.h"
#include "edgeemo/recognizer.h"
#include "online/recognizer_parts.h"

namespace edgeemo {
namespace {

constexpr std::int64_t kMostMs = std::int64_t{1} << 52;  // so that doubles hold every sample's time

void check_time(std::int64_t t_ms) {
    if (t_ms <= kMostMs && t_ms >= -kMostMs) return;
    throw InputError("t_ms must be within 2^52 ms of 0, got " + std::to_string(t_ms) +
                     "; pass milliseconds of the caller's clock");
}

// The running evidence-weighted mean over spans; each weighs its evidence times its real frames.
struct Mean {
    std::vector<double> said;
    double weight = 0.0;
    std::int64_t frames = 0;

    void add(const float* row, double evidence, std::int32_t n_frames) {
        const double w = evidence * n_frames;
        for (std::size_t i = 0; i < said.size(); ++i) said[i] += w * static_cast<double>(row[i]);
        weight += w;
        frames += n_frames;
    }

    void reset() {
        std::fill(said.begin(), said.end(), 0.0);
        weight = 0.0;
        frames = 0;
    }

    double evidence() const {
        return frames == 0 ? 0.0 : std::min(weight / static_cast<double>(frames), 1.0);
    }
};

}  // namespace

struct VoiceListener::State {
    State(std::shared_ptr<RecognizerParts> p, std::int32_t rate, std::int32_t channels)
        : parts(p.get()), keep(std::move(p)), stream(parts->voice->stream(rate, channels)), rate_hz(rate) {
        const VoiceSpec& spec = parts->voice->spec();
        window_ms = 1000.0 * spec.window / spec.rate_hz;
        frame_ms = 1000.0 * spec.hop / spec.rate_hz;
        hop_ms = spec.hop_frames * frame_ms;
        mean.said.resize(parts->readout.row_size());
        mixed.resize(parts->readout.row_size());
    }

    const char* name() const { return source ? source->c_str() : nullptr; }

    double now_ms() const {
        return static_cast<double>(start_ms) + static_cast<double>(samples) * 1000.0 / rate_hz;
    }

    void hear(const Span& span) {
        Result& result = room();
        parts->run(
            [&](ModelRunner& runner) {
                runner.write(0, span.features);
                return true;
            },
            [&](float* row, const float* speech) {
                const auto real = static_cast<std::size_t>(std::max(1, span.n_frames / parts->block_frames));
                result.evidence = parts->speech_share(speech, real);
                mean.add(row, result.evidence, span.n_frames);
                parts->readout.weigh(result.evidence, row);
                parts->fill(row, result);
            });
        const double begin = static_cast<double>(start_ms) + static_cast<double>(span.start_frame) * frame_ms;
        result.start_ms = static_cast<std::int64_t>(begin);
        result.end_ms = static_cast<std::int64_t>(begin + (span.n_frames - 1) * frame_ms + window_ms);
        ++n_waiting;
        StageClock::enter(Stage::frontend);  // the stream goes on
    }

    // A place at the end of the ring; results are used again, so a steady stream needs no more memory.
    Result& room() {
        if (n_waiting == waiting.size()) {
            std::rotate(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(first), waiting.end());
            first = 0;
            waiting.resize(std::max<std::size_t>(4, 2 * waiting.size()));
        }
        return waiting[(first + n_waiting) % waiting.size()];
    }

    void begin(std::int64_t t_ms) {
        start_ms = t_ms;
        first_ms = begun ? std::min(first_ms, t_ms) : t_ms;
        begun = true;
    }

    void finish() {
        try {
            stream.flush([this](const Span& span) { hear(span); });
        } catch (...) {  // the model failed: the next chunk still starts the stream again
            start_again();
            throw;
        }
        start_again();
    }

    // The latest time so far.
    std::int64_t end_ms() const {
        if (samples == 0) return last_ms;
        const auto now = static_cast<std::int64_t>(now_ms());
        return ended ? std::max(now, last_ms) : now;
    }

    void start_again() {
        last_ms = end_ms();
        ended = ended || samples != 0;
        stream.reset();
        samples = 0;
    }

    RecognizerParts* parts;
    std::shared_ptr<RecognizerParts> keep;  // empty where the parts themselves keep this listener
    VoiceStream stream;
    std::int32_t rate_hz;
    double window_ms = 0.0, frame_ms = 0.0, hop_ms = 0.0;
    Mean mean;
    std::int64_t samples = 0;  // since the last start of the stream, at start_ms
    std::int64_t start_ms = 0;
    std::int64_t last_ms = 0, first_ms = 0;  // the latest of what was finished, the earliest of all
    bool begun = false, ended = false;       // whether they say anything
    std::vector<Result> waiting;
    std::size_t first = 0, n_waiting = 0;
    mutable std::vector<float> mixed;
    std::optional<std::string> source;
};

VoiceListener::VoiceListener(std::unique_ptr<State> state) : state_(std::move(state)) {}
VoiceListener::~VoiceListener() = default;
VoiceListener::VoiceListener(VoiceListener&&) noexcept = default;
VoiceListener& VoiceListener::operator=(VoiceListener&&) noexcept = default;

void VoiceListener::check(const Pcm& chunk) const { state_->stream.check(chunk); }

void VoiceListener::push(const Pcm& chunk, std::int64_t t_ms) {
    State& s = *state_;
    if (chunk.samples == 0) return;
    const StageClock clock(s.parts->times);
    check_time(t_ms);
    s.stream.check(chunk);  // from here on nothing is refused
    if (s.samples != 0 && std::fabs(static_cast<double>(t_ms) - s.now_ms()) > s.hop_ms) s.finish();
    if (s.samples == 0) s.begin(t_ms);
    s.samples += static_cast<std::int64_t>(chunk.samples);  // they are taken, whatever the model does
    s.stream.push(chunk, [&s](const Span& span) { s.hear(span); });
}

void VoiceListener::flush() {
    const StageClock clock(state_->parts->times);
    state_->finish();
}

bool VoiceListener::next(Result& out) {
    State& s = *state_;
    if (s.n_waiting == 0) return false;
    std::swap(out, s.waiting[s.first]);
    out.source = s.name();
    s.first = (s.first + 1) % s.waiting.size();
    --s.n_waiting;
    return true;
}

void VoiceListener::reset() {
    State& s = *state_;
    s.stream.reset();
    s.mean.reset();
    s.samples = s.start_ms = s.last_ms = s.first_ms = 0;
    s.begun = s.ended = false;
    s.first = s.n_waiting = 0;
}

void VoiceListener::summary(Result& out) const {
    const State& s = *state_;
    const double weight = s.mean.weight == 0.0 ? 1.0 : s.mean.weight;
    for (std::size_t i = 0; i < s.mixed.size(); ++i) s.mixed[i] = static_cast<float>(s.mean.said[i] / weight);
    out.evidence = s.mean.evidence();
    s.parts->readout.weigh(out.evidence, s.mixed.data());
    s.parts->fill(s.mixed.data(), out);
    out.source = s.name();
    out.start_ms = s.first_ms;
    out.end_ms = s.end_ms();
}

void VoiceListener::set_source(std::optional<std::string> name) { state_->source = std::move(name); }

const Card& VoiceListener::card() const { return state_->parts->card; }

VoiceListener Recognizer::listen(std::int32_t rate_hz, std::int32_t channels) const {
    parts_->expect(Modality::voice);
    parts_->model->check_usable();
    return VoiceListener(std::make_unique<VoiceListener::State>(parts_, rate_hz, channels));
}

void Recognizer::hear_clips(std::int32_t rate_hz, std::int32_t channels) const {
    const std::shared_ptr<RecognizerParts> not_owned(std::shared_ptr<RecognizerParts>(), parts_.get());
    parts_->clip.emplace(VoiceListener(std::make_unique<VoiceListener::State>(not_owned, rate_hz, channels)));
    parts_->clip_rate_hz = rate_hz;
    parts_->clip_channels = channels;
}

}  // namespace edgeemo
