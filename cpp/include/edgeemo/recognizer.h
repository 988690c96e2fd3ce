// A bundle, opened: raw input in, the emotion it expresses out. The whole way is native.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "edgeemo/bundle.h"
#include "edgeemo/delegates.h"
#include "edgeemo/detect.h"
#include "edgeemo/engine.h"
#include "edgeemo/face.h"
#include "edgeemo/fit.h"
#include "edgeemo/follow.h"
#include "edgeemo/image.h"
#include "edgeemo/stage_clock.h"
#include "edgeemo/utterances.h"
#include "edgeemo/voice.h"

namespace edgeemo {

// The sounds without words that a span or an utterance has, such as a laugh. The labels are on the card.
struct Bursts {
    std::vector<float> probabilities;       // one a label, sums to 1; empty where the model hears none
    std::array<float, kEmotions> scores{};  // over kEmotionNames, sums to 1
    float valence = 0.0F, arousal = 0.0F;   // -1 to 1
    const char* const* labels = nullptr;    // their names, as long as recognizer or stream

    void clear() {
        probabilities.clear();
        scores.fill(0.0F);
        valence = arousal = 0.0F;
        labels = nullptr;
    }
};

// The emotion that one input expresses. A result that is used again needs no more memory.
struct Result {
    std::array<float, kEmotions> scores{};  // over kEmotionNames, sums to 1
    std::vector<float> probabilities;       // one a label of the card, calibrated
    float valence = 0.0F, arousal = 0.0F;   // -1 to 1
    double evidence = 0.0;                  // 0 to 1; at 0 neutral is 1, valence and arousal are 0
    ResultKind kind = ResultKind::none;     // the kind of a voice result
    Bursts bursts;                          // of a voice, whatever the evidence
    bool truncated = false;                 // the text was longer than the model reads
    std::int64_t start_ms = 0, end_ms = 0;  // on the caller's clock; 0 for texts and pictures
    std::optional<Face> face;               // the face of this result
    std::int64_t track_id = 0;              // in a stream of faces, from 1
    const char* model = "";                 // name and version of the card, as long as recognizer or stream
    const char* version = "";
    const char* source = nullptr;  // the stream's name, as long as the stream; null without one
};

// The form of a result, raised when the meaning of one of its fields changes.
inline constexpr std::int32_t kResultSchema = 1;

class LoadedModel;
struct RecognizerParts;  // what a recognizer and its streams share

// All state of one voice. One thread at a time; several may share a recognizer, and may outlive it.
//
// Chunks may be cut anywhere: the same samples give the same results. They come as soon as the last sample of
// a span is there and wait in the stream until next() takes them.
//
// If the model fails, the call throws InferenceError and loses the spans from there on. Earlier results
// still wait, and later results keep their times.
class VoiceListener {
  public:
    ~VoiceListener();
    VoiceListener(VoiceListener&&) noexcept;
    VoiceListener& operator=(VoiceListener&&) noexcept;

    // The next samples; `t_ms` is the time of the first. Where it differs from the expected one by more than
    // hop_frames (of the spec), samples are missing: the stream finishes the sound before the gap as flush()
    // does and starts again at `t_ms`. Throws InputError, and then has not changed, for chunks that
    // VoiceStream::check refuses and for a time beyond 2^52 ms. If the model fails, the stream still takes
    // the chunk. Only if the sound before a gap fails, push the chunk again.
    void push(const Pcm& chunk, std::int64_t t_ms);

    // Throws InputError for a chunk that push() would refuse, whatever its time.
    void check(const Pcm& chunk) const;

    // Reads the samples after the last span. The next chunk starts the stream again at its own time, even if
    // the model fails.
    void flush();

    // The oldest result that waits; false if none does.
    bool next(Result& out);

    // Takes silence in the place of the samples from `start_ms` to `end_ms`. Call this before you push them.
    // So the stream does not hear the product's own loudspeaker. Throws InputError unless start_ms < end_ms,
    // for times beyond 2^52 ms, and where the stream has heard all of them.
    void mute(std::int64_t start_ms, std::int64_t end_ms);

    // Equals a new stream.
    void reset();

    // One result for the whole sound: the mean over the spans, weighted by evidence and length. Then the
    // evidence of the whole weighs this mean.
    void summary(Result& out) const;

    // The name that results carry from now on, given by the caller.
    void set_source(std::optional<std::string> name);

  private:
    friend class Recognizer;
    struct State;
    explicit VoiceListener(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// All state of one camera or video. One thread at a time; several may share a recognizer, and may outlive it.
class FaceWatcher {
  public:
    ~FaceWatcher();
    FaceWatcher(FaceWatcher&&) noexcept;
    FaceWatcher& operator=(FaceWatcher&&) noexcept;

    // The next frame, taken at `t_ms`: finds the faces, reads each, follows and steadies them. Then next()
    // has one result for each followed face, by track. Results of the frame before that were not taken are
    // gone. While a face is not found, its result stays with falling evidence, and `face` is its expected
    // place with score 0. Size and color may change between frames. Throws InputError for a bad frame or a
    // time before the last one, InferenceError if a model fails. The watcher then stays as it was, and no
    // result waits.
    void push(const Image& frame, std::int64_t t_ms);

    // The next result of the last frame; false if none waits.
    bool next(Result& out);

    // Equals a new one.
    void reset();

    // The name that results carry from now on, given by the caller.
    void set_source(std::optional<std::string> name);

  private:
    friend class Recognizer;
    struct State;
    explicit FaceWatcher(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

// Threads may share one: calls are served one after the other. Use one a thread for parallel work.
class Recognizer {
  public:
    // Throws what Bundle::open and open_engine throw, and BundleMismatchError where model and card disagree.
    //
    // For a face bundle, `detector` is the path of a detector bundle, opened at once. If the path is empty,
    // face-detector.tflite beside `path` is opened when first needed. Its delegate is "auto", or "cpu" if
    // that was asked for. Throws InputError for a detector of another modality.
    static Recognizer open(const std::string& path, const EngineOptions& options = {},
                           const std::string& detector = {});
    explicit Recognizer(Bundle bundle, const EngineOptions& options = {});

    // A model that is loaded already, by our engine or by a backend of the caller's. `model` may be shared.
    Recognizer(Card card, const Assets& assets, std::shared_ptr<LoadedModel> model);

    const Card& card() const;
    const std::string& delegate() const;         // "cpu" or "gpu"
    const std::string& delegate_reason() const;  // why that one

    // Sets the finder of faces. Null stands for face-detector.tflite beside the bundle, as open() says.
    void set_finder(std::shared_ptr<const FaceFinder> finder);

    // How a box that was found becomes a crop. For models that were trained on other crops.
    void set_fit(const Fit& fit);

    // Measures the stages of every call from now on, beginning at zero, or no longer. Change this only while
    // no call runs.
    void time_stages(bool on);
    StageTimes stage_times() const;

    // Tries the GPU with a bundle (see delegates.h); its golden inputs are among those compared. Throws what
    // Bundle::open and probe_gpu throw.
    static Verdict probe(const std::string& path, const EngineOptions& options = {});

    // Each throws BundleMismatchError for a bundle of another modality, InferenceError if the model fails.

    // UTF-8; ill-formed bytes count as U+FFFD, which is dropped.
    void predict_text(std::string_view text, Result& out) const;

    // A whole clip, as VoiceListener::summary says it. Throws InputError for what VoiceStream::check refuses.
    // `each`, if given, gets the result of every span, in their order.
    void predict_pcm(const Pcm& pcm, std::int32_t rate_hz, Result& out,
                     const std::function<void(const Result&)>& each = nullptr) const;

    // The face in the box; the whole picture is the face if `box` is null. Throws InputError like
    // FaceFrontend.
    void predict_image(const Image& image, const Box* box, Result& out) const;

    // The face of a box, certain. Throws InputError like FaceFrontend.
    Face given_face(const Box& box) const;

    // The faces in a picture that can be read, best first. Throws what FaceDetector::open and detect throw.
    void find_faces(const Image& image, std::vector<Face>& found) const;

    // One of them. Throws InputError like FaceFrontend.
    void predict_face(const Image& image, const Face& found, Result& out) const;

    // A face whose box is the crop itself, as given_face() makes it. Throws InputError like FaceFrontend.
    void predict_given(const Image& image, const Face& given, Result& out) const;

    // The result of a picture without a face: neutral, without evidence.
    void predict_nobody(Result& out) const;

    // The face in front (in_front() of find_faces()); without a face neutral, without evidence.
    void predict_front(const Image& image, Result& out) const;

    // Throws SpecError for a smooth_ms outside 0 … 60000 or a tracker that cannot be, and what
    // FaceDetector::open throws.
    FaceWatcher watch(double smooth_ms = kSmoothMs, const TrackerSpec& tracker = {}) const;

    // Throws InputError for a rate or a number of channels out of range.
    // Throws SpecError also for a spec out of range.
    VoiceListener listen(std::int32_t rate_hz, std::int32_t channels = 1, const VoiceResults& results = {},
                         const VoiceStreamSpec& spec = {}) const;

    // The utterances of a whole clip, one after the other.
    void utterances(const Pcm& pcm, std::int32_t rate_hz, const std::function<void(const Result&)>& each,
                    const VoiceStreamSpec& spec = {}) const;

  private:
    void hear_clips(std::int32_t rate_hz, std::int32_t channels) const;  // makes the listener of predict_pcm

    std::shared_ptr<RecognizerParts> parts_;
};

}  // namespace edgeemo
