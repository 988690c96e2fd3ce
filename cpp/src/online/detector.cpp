#include "edgeemo/detector.h"

#include <array>
#include <mutex>
#include <utility>

#include "bundle/model_parts.h"
#include "edgeemo/errors.h"

namespace edgeemo {
namespace {

const Bundle& that_finds(const Bundle& bundle) {
    const Card& card = bundle.card;
    if (card.detector) return bundle;
    throw BundleMismatchError(card.name + " recognizes emotions in " + name_of(card.modality) +
                              " and finds no faces. Use a face-detector bundle.");
}

// Where a head of `numbers` a cell stands.
std::size_t head_of(const Card& card, const Engine& engine, const std::string& name, std::int32_t numbers) {
    const auto cells = static_cast<std::int32_t>(card.detector->spec.cells());
    std::vector<std::int32_t> shape{1, cells};
    if (numbers > 1) shape.push_back(numbers);
    const auto& outputs = engine.outputs();
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        if (outputs[i].name != name) continue;
        if (outputs[i].shape != shape || outputs[i].type == ElementType::int32)
            mismatch(card, "its output " + name + " does not speak of all cells of its grids");
        return i;
    }
    mismatch(card, "the model has no output " + name);
}

}  // namespace

struct FaceDetector::State {
    State(Bundle b, const EngineOptions& options)
        : bundle(std::move(b)),
          opened(open_engine(that_finds(bundle).model, checked_already(options),
                             [this] { return goldens_of(bundle); })),
          frontend(std::get<FaceSpec>(bundle.card.spec)),
          decoder(bundle.card.detector->spec) {
        const Card& card = bundle.card;
        const DetectorRule& rule = *card.detector;
        check_fit(card, engine);
        const FaceSpec& face = frontend.spec();
        if (face.width != rule.spec.width || face.height != rule.spec.height)
            mismatch(card, "its letterbox and its grids differ in size");
        const std::array<std::pair<const std::string*, std::int32_t>, 3> names{
            {{&rule.logits_output, 1}, {&rule.boxes_output, 4}, {&rule.eyes_output, 4}}};
        for (std::size_t i = 0; i < heads.size(); ++i) {
            at[i] = head_of(card, engine, *names[i].first, names[i].second);
            heads[i].resize(engine.outputs()[at[i]].count);
        }
    }

    void detect(const Image& image, std::vector<Face>& found) {
        check_image(image);
        engine.check_process();
        const Alignment crop = frontend.align(
            Box{0.0, 0.0, static_cast<double>(image.width), static_cast<double>(image.height)});
        const std::lock_guard<std::mutex> lock(mutex);
        fill(engine, frontend, image, crop);
        engine.run();
        for (std::size_t i = 0; i < heads.size(); ++i) engine.read(at[i], heads[i].data());
        decoder.decode(heads[0].data(), heads[1].data(), heads[2].data(), crop, scratch, found);
    }

    Bundle bundle;
    OpenedEngine opened;
    Engine& engine = opened.engine;
    FaceFrontend frontend;
    FaceDecoder decoder;
    std::array<std::size_t, 3> at{};  // of logits, boxes, eyes
    std::mutex mutex;                 // of all that follows, and of the engine
    std::array<std::vector<float>, 3> heads;
    FaceDecoder::Scratch scratch;
};

FaceDetector::FaceDetector(Bundle bundle, const EngineOptions& options)
    : state_(std::make_unique<State>(std::move(bundle), options)) {}
FaceDetector::~FaceDetector() = default;
FaceDetector::FaceDetector(FaceDetector&&) noexcept = default;
FaceDetector& FaceDetector::operator=(FaceDetector&&) noexcept = default;

FaceDetector FaceDetector::open(const std::string& path, const EngineOptions& options) {
    return FaceDetector(Bundle::open(path), options);
}

const Card& FaceDetector::card() const { return state_->bundle.card; }

void FaceDetector::detect(const Image& image, std::vector<Face>& found) const {
    state_->detect(image, found);
}

}  // namespace edgeemo
