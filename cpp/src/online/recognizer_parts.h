// A recognizer and its streams share the model and the way from its outputs to a result.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "bundle/model_parts.h"
#include "edgeemo/detector.h"
#include "edgeemo/recognizer.h"
#include "edgeemo/stage_clock.h"
#include "runtime/loaded_model.h"

namespace edgeemo {

struct RecognizerParts {
    // Throws BundleMismatchError where model and card disagree, SpecError for a vocabulary that cannot work.
    RecognizerParts(Card c, const Assets& assets, std::shared_ptr<LoadedModel> loaded);

    // The finder of faces, opened when first needed.
    std::shared_ptr<const FaceFinder> finder();

    // Calls `work`; its InferenceError then says whose numbers were wrong.
    template <class Work>
    auto naming_card(const Work& work) const {
        try {
            return work();
        } catch (const InferenceError& error) {
            throw InferenceError(card.name + ": " + error.what());
        }
    }

    // Runs the model on what `fill(runner)` puts in. Then use(row, speech) gets a row (probabilities, scores,
    // valence, arousal) and the logits of the blocks that are speech (null if the model has none). The row of
    // bursts, if the model hears any, is in `burst_row`. Where fill gives false, the model does not run and
    // the row is neutral.
    template <class Fill, class Use>
    void run(const Fill& fill, const Use& use) {
        model->with([&](ModelRunner& runner) {
            if (fill(runner)) {
                runner.run();
                runner.read(labels_at, logits.data());
                std::array<float, 2> affect{};
                if (affect_at) runner.read(*affect_at, affect.data());
                naming_card([&] { readout.read(logits.data(), affect.data(), row.data()); });
                if (speech_at) runner.read(*speech_at, speech.data());
                if (bursts) read_bursts(runner);
            } else {
                StageClock::enter(Stage::post);
                readout.neutral(row.data());
            }
            use(row.data(), speech_at ? speech.data() : nullptr);
        });
    }

    void read_bursts(ModelRunner& runner) {
        runner.read(bursts_at, burst_logits.data());
        naming_card([&] { bursts->read(burst_logits.data(), nullptr, burst_row.data()); });
    }

    // Copies a row into a result. All else that a result says, but its evidence, is set back.
    void fill(const float* from, Result& out) const {
        copy_row(from, readout.labels(), out);
        out.bursts.clear();
        out.kind = ResultKind::none;
        out.truncated = false;
        out.start_ms = out.end_ms = out.track_id = 0;
        out.face.reset();
        out.model = card.name.c_str();
        out.version = card.version.c_str();
        out.source = nullptr;
    }

    // Copies a row of bursts into a result that was filled.
    void fill_bursts(const float* from, Result& out) const {
        copy_row(from, bursts->labels(), out.bursts);
        out.bursts.labels = burst_names.data();
    }

    // `Said` is a Result, or its Bursts.
    template <class Said>
    static void copy_row(const float* from, std::size_t labels, Said& out) {
        out.probabilities.assign(from, from + labels);
        std::copy(from + labels, from + labels + kEmotions, out.scores.begin());
        out.valence = from[labels + kEmotions];
        out.arousal = from[labels + kEmotions + 1];
    }

    // The share of the first `real` blocks that are speech. Throws InferenceError for NaN.
    double speech_share(const float* blocks, std::size_t real) const {
        return naming_card([&] { return readout.speech_share(blocks, real); });
    }

    // The result of a picture without a face: neutral, without evidence.
    void nobody(Result& out) const;

    // Runs the model on a crop of a picture, as above.
    template <class Use>
    void read_crop(const Image& image, const Alignment& crop, const Use& use) {
        run(
            [&](ModelRunner& runner) {
                edgeemo::fill(runner, *face, image, crop);
                return true;
            },
            use);
    }

    void expect(Modality wanted) const;  // throws BundleMismatchError
    void hear_bursts();                  // called once, by a model that can

    Card card;
    std::shared_ptr<LoadedModel> model;
    Readout readout;
    std::optional<TextFrontend> text;
    std::optional<VoiceFrontend> voice;
    std::optional<FaceFrontend> face;
    std::size_t labels_at = 0;
    std::optional<std::size_t> affect_at, speech_at;
    std::vector<float> neutral;     // the row of a picture without a face
    std::optional<Readout> bursts;  // of a model that hears them
    std::size_t bursts_at = 0;
    std::vector<const char*> burst_names;
    std::vector<float> burst_logits, burst_row, no_burst;  // the last is the row where nothing was heard
    std::int32_t block_frames = 0;                         // of a block of speech
    std::vector<float> logits, speech, row;                // used while the model is ours
    StageTimes* times = nullptr;                           // where calls measure themselves; null: nowhere
    StageTimes times_kept;

    Fit fit;                  // from a box that was found to a crop
    std::mutex finder_mutex;  // of what finds faces
    std::shared_ptr<const FaceFinder> found_by;
    std::string finder_path;  // where the detector is opened from; empty: nowhere
    EngineOptions finder_options;

    std::mutex clip_mutex;  // of the listener that reads whole clips
    std::optional<VoiceListener> clip;
    std::int32_t clip_rate_hz = 0, clip_channels = 0;
};

}  // namespace edgeemo
