// What a recognizer and its streams share: the model behind a lock, and how its outputs are read.
#pragma once

#include <algorithm>
#include <cstddef>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "bundle/model_parts.h"
#include "edgeemo/detector.h"
#include "edgeemo/recognizer.h"

namespace edgeemo {

struct RecognizerParts {
    RecognizerParts(Bundle b, const EngineOptions& options);

    // What finds faces, opened when first needed.
    const FaceDetector& finder();

    // Runs the model on what `fill(engine)` puts in, then hands over to `use(row, speech)`: probabilities,
    // scores, valence, arousal; and the logits of the blocks that are speech (null if the model has none).
    template <class Fill, class Use>
    void run(const Fill& fill, const Use& use) {
        engine.check_process();
        const std::lock_guard<std::mutex> lock(mutex);
        if (!fill(engine)) {
            readout.neutral(row.data());
        } else {
            engine.run();
            engine.read(labels_at, logits.data());
            std::array<float, 2> affect{};
            if (affect_at) engine.read(*affect_at, affect.data());
            readout.read(logits.data(), affect.data(), row.data());
            if (speech_at) engine.read(*speech_at, speech.data());
        }
        use(row.data(), speech_at ? speech.data() : nullptr);
    }

    // Numbers of a row into a result; what else there is to say but evidence is set back.
    void fill(const float* from, Result& out) const {
        const std::size_t n = readout.labels();
        out.probabilities.assign(from, from + n);
        std::copy(from + n, from + n + kEmotions, out.scores.begin());
        out.valence = from[n + kEmotions];
        out.arousal = from[n + kEmotions + 1];
        out.truncated = false;
        out.start_ms = out.end_ms = out.track_id = 0;
        out.face.reset();
    }

    // What is said where there is no face.
    void nobody(Result& out) {
        engine.check_process();
        const std::lock_guard<std::mutex> lock(mutex);
        readout.neutral(row.data());
        fill(row.data(), out);
        out.evidence = 0.0;
    }

    // Runs the model on a crop of a picture, as above.
    template <class Use>
    void see(const Image& image, const Alignment& crop, const Use& use) {
        run(
            [&](Engine& e) {
                edgeemo::fill(e, *face, image, crop);
                return true;
            },
            use);
    }

    void expect(Modality wanted) const;  // throws BundleMismatchError

    Bundle bundle;
    OpenedEngine opened;
    Engine& engine = opened.engine;
    Readout readout;
    std::optional<TextFrontend> text;
    std::optional<VoiceFrontend> voice;
    std::optional<FaceFrontend> face;
    std::size_t labels_at = 0;
    std::optional<std::size_t> affect_at, speech_at;
    std::int32_t block_frames = 0;  // of a block of speech
    std::mutex mutex;               // of all that follows, and of the engine
    std::vector<float> logits, speech, row;

    std::mutex finder_mutex;  // of what finds faces
    std::optional<FaceDetector> found_by;
    std::string finder_path;  // where it is opened from; empty: nowhere
    EngineOptions finder_options;

    std::mutex clip_mutex;  // of the listener that reads whole clips
    std::optional<VoiceListener> clip;
    std::int32_t clip_rate_hz = 0, clip_channels = 0;
};

}  // namespace edgeemo
