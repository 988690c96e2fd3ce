// A bundle, opened: raw input in, the emotion it expresses out. The whole way is native.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "edgeemo/bundle.h"
#include "edgeemo/delegates.h"
#include "edgeemo/engine.h"
#include "edgeemo/face.h"
#include "edgeemo/image.h"
#include "edgeemo/voice.h"

namespace edgeemo {

// What one input expresses. Used again and again it needs no more memory.
struct Result {
    std::array<float, kEmotions> scores{};  // over kEmotionNames, sums to 1
    std::vector<float> probabilities;       // one a label of the card, calibrated
    float valence = 0.0F, arousal = 0.0F;   // -1 to 1
    double evidence = 0.0;                  // 0 to 1; at 0 neutral is 1, valence and arousal are 0
    bool truncated = false;                 // the text was longer than the model reads
    std::int64_t start_ms = 0, end_ms = 0;  // on the caller's clock; 0 for texts and pictures
};

struct RecognizerParts;  // what a recognizer and its streams share

// All state of one voice. One thread at a time; several may share a recognizer, and may outlive it.
//
// Chunks may be cut anywhere: the same samples give the same results. They come as soon as the last sample of
// a span is there and wait in the stream until next() takes them.
class VoiceListener {
  public:
    ~VoiceListener();
    VoiceListener(VoiceListener&&) noexcept;
    VoiceListener& operator=(VoiceListener&&) noexcept;

    // The next samples; `t_ms` is the time of the first. Where it differs from the expected one by more than
    // hop_frames (of the spec), samples are missing: what came before is finished as by flush(), and the
    // stream starts afresh at `t_ms`. Throws InputError, and then has not changed, for what VoiceStream::push
    // refuses.
    void push(const Pcm& chunk, std::int64_t t_ms);

    // What the samples after the last span say. The next chunk begins afresh, at its time.
    void flush();

    // The oldest result that waits; false if none does.
    bool next(Result& out);

    // Equals a new stream.
    void reset();

    // One for all that was heard: the mean over the spans, weighted by evidence and length, then weighed once
    // more by the evidence of the whole.
    void summary(Result& out) const;

    const Card& card() const;

  private:
    friend class Recognizer;
    struct State;
    explicit VoiceListener(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// Threads may share one: calls are served one after the other. Use one a thread for parallel work.
class Recognizer {
  public:
    // Throws what Bundle::open and open_engine throw, and BundleMismatchError where model and card disagree.
    static Recognizer open(const std::string& path, const EngineOptions& options = {});
    explicit Recognizer(Bundle bundle, const EngineOptions& options = {});

    const Card& card() const;
    const std::string& library() const;          // path of the LiteRT in use
    const std::string& delegate() const;         // "cpu" or "gpu"
    const std::string& delegate_reason() const;  // why that one

    // Tries the GPU with a bundle (see delegates.h); its golden inputs are among those compared. Throws what
    // Bundle::open and probe_gpu throw.
    static Verdict probe(const std::string& path, const EngineOptions& options = {});

    // Each throws BundleMismatchError for a bundle of another modality, InferenceError if the model fails.

    // UTF-8; ill-formed bytes count as U+FFFD, which is dropped.
    void predict_text(std::string_view text, Result& out) const;

    // A whole clip, as VoiceListener::summary says it. Throws InputError for what VoiceStream::push refuses.
    void predict_pcm(const Pcm& pcm, std::int32_t rate_hz, Result& out) const;

    // The face in the box, or of which the whole picture is one if `box` is null. Throws InputError like
    // FaceFrontend.
    void predict_image(const Image& image, const Box* box, Result& out) const;

    // Throws InputError for a rate or a number of channels out of range.
    VoiceListener listen(std::int32_t rate_hz, std::int32_t channels = 1) const;

  private:
    void hear_clips(std::int32_t rate_hz, std::int32_t channels) const;  // makes the listener of predict_pcm

    std::shared_ptr<RecognizerParts> parts_;
};

}  // namespace edgeemo
