#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "edgeemo/errors.h"
#include "edgeemo/recognizer.h"
#include "online/means.h"
#include "online/recognizer_parts.h"
#include "online/utterance_finder.h"

namespace edgeemo {
namespace {

constexpr std::array<std::int16_t, 4096> kSilence{};
constexpr std::int64_t kMostMs = std::int64_t{1} << 52;  // so that doubles hold every sample's time

void check_time(std::int64_t t_ms) {
    if (t_ms <= kMostMs && t_ms >= -kMostMs) return;
    throw InputError("t_ms must be within 2^52 ms of 0, got " + std::to_string(t_ms) +
                     "; pass milliseconds of the caller's clock");
}

}  // namespace

struct VoiceListener::State {
    State(std::shared_ptr<RecognizerParts> p, std::int32_t rate, std::int32_t n, const VoiceResults& told,
          const VoiceStreamSpec& spec)
        : parts(p.get()),
          keep(std::move(p)),
          results(told),
          finder(with_onset(spec), frame_ms(*parts), parts->block_frames),
          stream(parts->voice->stream(rate, n, history())),
          all(*parts),
          utterance(*parts),
          so_far(*parts),
          rate_hz(rate),
          channels(n) {
        const VoiceSpec& of = parts->voice->spec();
        window_ms = 1000.0 * of.window / of.rate_hz;
        hop_ms = of.hop_frames * frame_ms(*parts);
        mixed.resize(parts->readout.row_size());
        mixed_bursts = parts->no_burst;
    }

    static double frame_ms(const RecognizerParts& parts) {
        return 1000.0 * parts.voice->spec().hop / parts.voice->spec().rate_hz;
    }

    const VoiceSpec& voice_spec() const { return parts->voice->spec(); }

    VoiceStreamSpec with_onset(VoiceStreamSpec spec) const {
        spec.validate();
        if (spec.onset == 0.0) spec.onset = parts->readout.rule().speech_threshold;
        spec.end = std::min(spec.end, spec.onset);
        return spec;
    }

    VoiceHistory history() const {
        if (!results.utterances && !results.partials) return {};
        return {finder.tick_frames(), finder.kept_frames()};
    }

    const char* name() const { return source ? source->c_str() : nullptr; }

    double now_ms() const {
        return static_cast<double>(start_ms) + static_cast<double>(samples) * 1000.0 / rate_hz;
    }

    // Runs the model on a span; then use(row, evidence) gets what it says of the span's voice.
    template <class Use>
    void ask(const Span& span, const Use& use) {
        parts->run(
            [&](ModelRunner& runner) {
                runner.write(0, span.features);
                return true;
            },
            [&](float* row, const float* speech) {
                const auto real = static_cast<std::size_t>(std::max(1, span.n_frames / parts->block_frames));
                heard_at = span.start_frame + span.n_frames;
                heard = 1.0 / (1.0 + std::exp(-static_cast<double>(speech[real - 1])));
                use(row, parts->speech_share(speech, real));
            });
        StageClock::enter(Stage::frontend);  // the stream goes on
    }

    // Runs the model on the frames [begin, begin + n).
    template <class Use>
    void ask(std::int64_t begin, std::int64_t n, const Use& use) {
        stream.read(begin, static_cast<std::int32_t>(n), [&](const Span& span) { ask(span, use); });
    }

    void hear(const Span& span) {
        ask(span, [&](float* row, double evidence) {
            all.add(*parts, row, evidence, span.n_frames);
            const std::optional<std::int64_t> speaks = finder.speaks_since();
            if (speaks && *speaks <= span.start_frame) utterance.add(*parts, row, evidence, span.n_frames);
            if (!results.spans) return;
            Result& result = told(ResultKind::span, evidence, row, parts->burst_row.data());
            const double step = frame_ms(*parts);
            const double begin = static_cast<double>(start_ms) + static_cast<double>(span.start_frame) * step;
            result.start_ms = static_cast<std::int64_t>(begin);
            result.end_ms = static_cast<std::int64_t>(begin + (span.n_frames - 1) * step + window_ms);
            settle();
        });
    }

    void tick(std::int64_t frame) {
        if (!finder.listens(frame)) return;
        listen_at(frame);
        if (const std::optional<FrameRange> found = finder.hear(frame, heard)) {
            if (results.utterances) tell(*found, frame, ResultKind::utterance);
            utterance.reset();
        }
        if (!results.partials || frame < next_partial) return;
        if (const std::optional<FrameRange> open = finder.open(frame)) {
            tell(*open, frame, ResultKind::partial);
            next_partial = frame + voice_spec().hop_frames;
        }
    }

    // How likely the block before `frame` is speech. The span that was just heard may have said so already.
    void listen_at(std::int64_t frame) {
        if (heard_at == frame) return;
        const std::int64_t n = std::min<std::int64_t>(frame, voice_spec().span_frames);
        const std::int64_t whole = n - n % parts->block_frames;
        heard = 0.0;
        if (whole != 0) ask(frame - whole, whole, [](float*, double) {});
    }

    // One result for an utterance, given at `now`: the mean of the whole spans inside it and of its last
    // span. The last span also has the quiet around the utterance, as the clips that the networks learned
    // have.
    void tell(FrameRange range, std::int64_t now, ResultKind kind) {
        const std::int64_t n = std::min<std::int64_t>(
            now - std::max<std::int64_t>(0, range.begin - finder.margin_frames()), voice_spec().span_frames);
        const std::int64_t begin = now - n, last = std::min<std::int64_t>(range.end - range.begin, n);
        ask(begin, n, [&](const float* row, double) {
            const std::int64_t block = parts->block_frames;  // of whole blocks inside the utterance
            const std::int64_t from =
                std::min((std::max<std::int64_t>(0, range.begin - begin) + block - 1) / block,
                         static_cast<std::int64_t>(parts->speech.size()) - 1);
            const std::int64_t to = std::max((range.end - begin) / block, from + 1);
            const double evidence =
                parts->speech_share(parts->speech.data() + from, static_cast<std::size_t>(to - from));
            so_far = utterance;
            so_far.add(*parts, row, evidence, static_cast<std::int32_t>(last));
            const double of_all = so_far.voice.evidence();
            if (of_all <= parts->readout.rule().least) return;  // a sound, but no voice
            so_far.voice.row(mixed);
            so_far.bursts.row(mixed_bursts);
            Result& result = told(kind, of_all, mixed.data(), mixed_bursts.data());
            const double half = (window_ms - frame_ms(*parts)) / 2;  // a frame speaks of its middle
            const auto at = [&](std::int64_t frame) {
                return static_cast<std::int64_t>(static_cast<double>(start_ms) +
                                                 static_cast<double>(frame) * frame_ms(*parts) + half);
            };
            result.start_ms = at(range.begin);
            result.end_ms = at(range.end);
            settle();
        });
    }

    // A new result at the end of the ring.
    Result& told(ResultKind kind, double evidence, float* row, const float* bursts) {
        Result& result = room();
        result.evidence = evidence;
        parts->readout.weigh(evidence, row);
        parts->fill(row, result);
        if (parts->bursts) parts->fill_bursts(bursts, result);
        result.kind = kind;
        ++n_waiting;
        ++n_new;
        return result;
    }

    // The last result moves before those that end later, since the stream started.
    void settle() {
        const auto place = [&](std::size_t i) -> Result& { return waiting[(first + i) % waiting.size()]; };
        const std::size_t old = n_waiting - std::min(n_waiting, n_new);
        for (std::size_t i = n_waiting - 1; i > old && place(i - 1).end_ms > place(i).end_ms; --i)
            std::swap(place(i - 1), place(i));
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

    // Pushes a chunk; its samples are taken, whatever the model does.
    void take(const Pcm& chunk) {
        std::exception_ptr failed;
        for (std::size_t done = 0; done < chunk.samples;) {
            bool silent = false;
            Pcm part = chunk;
            part.samples = until_next_mute(chunk.samples - done, silent);
            if (silent) {
                part.float32 = nullptr;
                part.int16 = kSilence.data();
                part.samples = std::min(part.samples, kSilence.size() / static_cast<std::size_t>(channels));
            } else {
                if (part.int16 != nullptr) part.int16 += done * static_cast<std::size_t>(channels);
                if (part.float32 != nullptr) part.float32 += done * static_cast<std::size_t>(channels);
            }
            done += part.samples;
            samples += static_cast<std::int64_t>(part.samples);
            try {
                stream.push(
                    part, [&](const Span& span) { failed ? void() : hear(span); },
                    [&](std::int64_t frame) { failed ? void() : tick(frame); });
            } catch (...) {
                failed = std::current_exception();
            }
        }
        if (failed) std::rethrow_exception(failed);
    }

    // How many of the next `most` samples are muted like the first of them, and whether that is.
    std::size_t until_next_mute(std::size_t most, bool& silent) {
        std::int64_t next = samples + static_cast<std::int64_t>(most);
        for (auto mute = mutes.begin(); mute != mutes.end();) {
            const std::int64_t from = sample_at(mute->first), to = sample_at(mute->second);
            if (to <= samples) {
                mute = mutes.erase(mute);
                continue;
            }
            silent = silent || from <= samples;
            for (const std::int64_t edge : {from, to})
                if (edge > samples) next = std::min(next, edge);
            ++mute;
        }
        return static_cast<std::size_t>(next - samples);
    }

    // The number of samples before a time, since the last start of the stream.
    std::int64_t sample_at(std::int64_t t_ms) const {
        const double ms = static_cast<double>(t_ms) - static_cast<double>(start_ms);
        return static_cast<std::int64_t>(std::clamp(std::ceil(ms * rate_hz / 1000.0), -9e15, 9e15));
    }

    void finish() {
        try {
            stream.flush([this](const Span& span) { hear(span); },
                         [this](std::int64_t frame) { tick(frame); });
            if (const auto found = finder.finish(stream.n_frames()); found && results.utterances)
                tell(*found, stream.n_frames(), ResultKind::utterance);
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
        samples = 0;
        listen_anew();
    }

    void listen_anew() {
        stream.reset();
        finder.reset();
        utterance.reset();
        heard_at = next_partial = 0;
        n_new = 0;
    }

    RecognizerParts* parts;
    std::shared_ptr<RecognizerParts> keep;  // empty where the parts themselves keep this listener
    VoiceResults results;
    UtteranceFinder finder;
    VoiceStream stream;
    Means all, utterance, so_far;  // of everything; of the whole spans in this utterance; and of its rest
    std::int32_t rate_hz, channels;
    double window_ms = 0.0, hop_ms = 0.0;
    std::int64_t heard_at = 0;      // the frame before which lies the block that `heard` speaks of
    double heard = 0.0;             // the probability of speech there
    std::int64_t next_partial = 0;  // the frame from which on one is due
    std::int64_t samples = 0;       // since the last start of the stream, at start_ms
    std::int64_t start_ms = 0;
    std::int64_t last_ms = 0, first_ms = 0;  // the latest of what was finished, the earliest of all
    bool begun = false, ended = false;       // whether they say anything
    std::vector<std::pair<std::int64_t, std::int64_t>> mutes;  // times from, to
    std::vector<Result> waiting;
    std::size_t first = 0, n_waiting = 0, n_new = 0;  // n_new came since the start of the stream
    mutable std::vector<float> mixed, mixed_bursts;
    std::optional<std::string> source;
};

VoiceListener::VoiceListener(std::unique_ptr<State> state) : state_(std::move(state)) {}
VoiceListener::~VoiceListener() = default;
VoiceListener::VoiceListener(VoiceListener&&) noexcept = default;
VoiceListener& VoiceListener::operator=(VoiceListener&&) noexcept = default;

void VoiceListener::check(const Pcm& chunk) const { state_->stream.check(chunk); }

void VoiceListener::mute(std::int64_t start_ms, std::int64_t end_ms) {
    check_time(start_ms);
    check_time(end_ms);
    if (start_ms >= end_ms)
        throw InputError("mute from " + std::to_string(start_ms) + " to " + std::to_string(end_ms) +
                         " ms: the end must come after the start");
    if (state_->samples != 0 && static_cast<double>(end_ms) <= state_->now_ms())
        throw InputError("mute to " + std::to_string(end_ms) + " ms: the stream has heard up to " +
                         std::to_string(static_cast<std::int64_t>(state_->now_ms())) +
                         " ms already; mute before you push");
    state_->mutes.push_back({start_ms, end_ms});
}

void VoiceListener::push(const Pcm& chunk, std::int64_t t_ms) {
    State& s = *state_;
    if (chunk.samples == 0) return;
    const StageClock clock(s.parts->times);
    check_time(t_ms);
    s.stream.check(chunk);  // from here on nothing is refused
    if (s.samples != 0 && std::fabs(static_cast<double>(t_ms) - s.now_ms()) > s.hop_ms) s.finish();
    if (s.samples == 0) s.begin(t_ms);
    s.take(chunk);
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
    s.listen_anew();
    s.all.reset();
    s.mutes.clear();
    s.samples = s.start_ms = s.last_ms = s.first_ms = 0;
    s.begun = s.ended = false;
    s.first = s.n_waiting = 0;
}

void VoiceListener::summary(Result& out) const {
    const State& s = *state_;
    const auto& [voice, bursts] = s.all;
    voice.row(s.mixed);
    out.evidence = voice.evidence();
    s.parts->readout.weigh(out.evidence, s.mixed.data());
    s.parts->fill(s.mixed.data(), out);
    if (bursts.frames != 0) bursts.row(s.mixed_bursts);
    const auto& said = bursts.frames == 0 ? s.parts->no_burst : s.mixed_bursts;
    if (s.parts->bursts) s.parts->fill_bursts(said.data(), out);
    out.kind = ResultKind::clip;
    out.source = s.name();
    out.start_ms = s.first_ms;
    out.end_ms = s.end_ms();
}

void VoiceListener::set_source(std::optional<std::string> name) { state_->source = std::move(name); }

VoiceListener Recognizer::listen(std::int32_t rate_hz, std::int32_t channels, const VoiceResults& results,
                                 const VoiceStreamSpec& spec) const {
    parts_->expect(Modality::voice);
    parts_->model->check_usable();
    return VoiceListener(std::make_unique<VoiceListener::State>(parts_, rate_hz, channels, results, spec));
}

void Recognizer::hear_clips(std::int32_t rate_hz, std::int32_t channels) const {
    const std::shared_ptr<RecognizerParts> not_owned(std::shared_ptr<RecognizerParts>(), parts_.get());
    parts_->clip.emplace(VoiceListener(std::make_unique<VoiceListener::State>(
        not_owned, rate_hz, channels, VoiceResults{}, VoiceStreamSpec{})));
    parts_->clip_rate_hz = rate_hz;
    parts_->clip_channels = channels;
}

}  // namespace edgeemo
