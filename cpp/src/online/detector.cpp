#include "edgeemo/detector.h"

#include <array>
#include <utility>

#include "bundle/model_parts.h"
#include "edgeemo/errors.h"
#include "runtime/loaded_model.h"

namespace edgeemo {
namespace {

const Card& that_finds(const Card& card) {
    if (card.detector) return card;
    throw BundleMismatchError(card.name + " recognizes emotions in " + name_of(card.modality) +
                              " and finds no faces. Open it as a recognizer, or use a face-detector bundle.");
}

}  // namespace

struct FaceDetector::State {
    State(Card c, std::shared_ptr<LoadedModel> loaded)
        : card(std::move(c)),
          model(std::move(loaded)),
          frontend(std::get<FaceSpec>(that_finds(card).spec)),
          decoder(card.detector->spec) {
        const DetectorRule& rule = *card.detector;
        const FaceSpec& face = frontend.spec();
        if (face.width != rule.spec.width || face.height != rule.spec.height)
            mismatch(card, "its letterbox is " + std::to_string(face.width) + " x " +
                               std::to_string(face.height) + ", its grids lie over " +
                               std::to_string(rule.spec.width) + " x " + std::to_string(rule.spec.height));
        check_fit(card, model->inputs);
        const auto cells = static_cast<std::int32_t>(rule.spec.cells());
        at = {output_of(card, model->outputs, rule.logits_output, "logits", {1, cells}),
              output_of(card, model->outputs, rule.boxes_output, "boxes", {1, cells, 4}),
              output_of(card, model->outputs, rule.eyes_output, "eyes", {1, cells, 4})};
        for (std::size_t i = 0; i < heads.size(); ++i) heads[i].resize(model->outputs[at[i]].count);
    }

    void detect(const Image& image, std::vector<Face>& found) {
        check_image(image);
        const StageClock clock(times);
        const Alignment crop = frontend.align(
            Box{0.0, 0.0, static_cast<double>(image.width), static_cast<double>(image.height)});
        model->with([&](ModelRunner& runner) {
            fill(runner, frontend, image, crop);
            runner.run();
            for (std::size_t i = 0; i < heads.size(); ++i) runner.read(at[i], heads[i].data());
            decoder.decode(heads[0].data(), heads[1].data(), heads[2].data(), crop, scratch, found);
        });
    }

    Card card;
    std::shared_ptr<LoadedModel> model;
    FaceFrontend frontend;
    FaceDecoder decoder;
    std::array<std::size_t, 3> at{};          // of logits, boxes, eyes
    std::array<std::vector<float>, 3> heads;  // used while the model is ours, like the scratch
    FaceDecoder::Scratch scratch;
    StageTimes* times = nullptr;  // where calls measure themselves; null: nowhere
    StageTimes times_kept;
};

FaceDetector::FaceDetector(Bundle bundle, const EngineOptions& options)
    : FaceDetector{that_finds(bundle.card), load_model(bundle, options)} {}  // braces: in this order
FaceDetector::FaceDetector(Card card, std::shared_ptr<LoadedModel> model)
    : state_(std::make_unique<State>(std::move(card), std::move(model))) {}
FaceDetector::~FaceDetector() = default;
FaceDetector::FaceDetector(FaceDetector&&) noexcept = default;
FaceDetector& FaceDetector::operator=(FaceDetector&&) noexcept = default;

FaceDetector FaceDetector::open(const std::string& path, const EngineOptions& options) {
    return FaceDetector(Bundle::open(path), options);
}

void FaceDetector::time_stages(bool on) {
    state_->times_kept = {};
    state_->times = on ? &state_->times_kept : nullptr;
}

StageTimes FaceDetector::stage_times() const { return state_->times_kept; }

const Card& FaceDetector::card() const { return state_->card; }

void FaceDetector::detect(const Image& image, std::vector<Face>& found) const {
    state_->detect(image, found);
}

}  // namespace edgeemo
