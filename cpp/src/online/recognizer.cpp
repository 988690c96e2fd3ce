#include "edgeemo/recognizer.h"

#include <array>
#include <utility>

#include "edgeemo/errors.h"
#include "online/recognizer_parts.h"

namespace edgeemo {
namespace {

constexpr const char* kDetector = "face-detector.tflite";

// Where an output of that name stands; it must have `size` numbers, unless that is 0.
std::size_t output_of(const Card& card, const Engine& engine, const std::string& name, std::size_t size) {
    const auto& outputs = engine.outputs();
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        if (outputs[i].name != name) continue;
        const bool fits = outputs[i].shape.size() == 2 && outputs[i].shape[0] == 1 &&
                          (size == 0 || outputs[i].count == size) && outputs[i].type != ElementType::int32;
        if (!fits) mismatch(card, "its output " + name + " has another shape or type than its card says");
        return i;
    }
    mismatch(card, "the model has no output " + name);
}

const Bundle& that_recognizes(const Bundle& bundle) {
    if (!bundle.card.detector) return bundle;
    throw BundleMismatchError(
        bundle.card.name +
        " finds faces and recognizes nothing. Open a face bundle and pass this one as its "
        "detector.");
}

}  // namespace

RecognizerParts::RecognizerParts(Bundle b, const EngineOptions& options)
    : bundle(std::move(b)),
      opened(open_engine(that_recognizes(bundle).model, checked_already(options),
                         [this] { return goldens_of(bundle); })),
      readout(bundle.card.readout),
      finder_options(checked_already(options)) {
    if (finder_options.delegate != "cpu") finder_options.delegate = "auto";
    const Card& card = bundle.card;
    if (const auto* spec = std::get_if<TextSpec>(&card.spec)) text.emplace(*spec, pieces_of(bundle));
    if (const auto* spec = std::get_if<VoiceSpec>(&card.spec)) voice.emplace(*spec);
    if (const auto* spec = std::get_if<FaceSpec>(&card.spec)) face.emplace(*spec);
    check_fit(card, engine);
    labels_at = output_of(card, engine, card.labels_output, card.labels.size());
    if (!card.affect_output.empty()) affect_at = output_of(card, engine, card.affect_output, 2);
    if (voice && card.speech_output.empty()) mismatch(card, "the card names no speech output");
    if (voice) {
        speech_at = output_of(card, engine, card.speech_output, 0);
        const auto blocks = static_cast<std::int32_t>(engine.outputs()[*speech_at].count);
        if (voice->spec().span_frames % blocks != 0)
            mismatch(card, "its blocks of speech do not divide its span");
        block_frames = voice->spec().span_frames / blocks;
        speech.resize(static_cast<std::size_t>(blocks));
    }
    logits.resize(readout.labels());
    row.resize(readout.row_size());
}

void RecognizerParts::expect(Modality wanted) const {
    const Card& card = bundle.card;
    if (card.modality == wanted) return;
    throw BundleMismatchError(card.name + " reads " + name_of(card.modality) + ", not " + name_of(wanted) +
                              ". Open a bundle of that modality.");
}

Verdict Recognizer::probe(const std::string& path, const EngineOptions& options) {
    const Bundle bundle = Bundle::open(path);
    return probe_gpu(bundle.model, checked_already(options), [&] { return goldens_of(bundle); });
}

Recognizer::Recognizer(Bundle bundle, const EngineOptions& options)
    : parts_(std::make_shared<RecognizerParts>(std::move(bundle), options)) {}

Recognizer Recognizer::open(const std::string& path, const EngineOptions& options,
                            const std::string& detector) {
    Recognizer opened(Bundle::open(path), options);
    RecognizerParts& parts = *opened.parts_;
    const Card& card = parts.bundle.card;
    if (card.modality != Modality::face && !detector.empty())
        throw InputError(card.name + " reads " + name_of(card.modality) + ": leave the detector out");
    parts.finder_path = detector.empty() ? path.substr(0, path.rfind('/') + 1) + kDetector : detector;
    if (!detector.empty()) parts.finder();
    return opened;
}

const Card& Recognizer::card() const { return parts_->bundle.card; }
const std::string& Recognizer::library() const { return parts_->engine.library(); }
const std::string& Recognizer::delegate() const { return parts_->opened.delegate; }
const std::string& Recognizer::delegate_reason() const { return parts_->opened.reason; }

void Recognizer::predict_text(std::string_view text, Result& out) const {
    RecognizerParts& parts = *parts_;
    parts.expect(Modality::text);
    TextCounts counts;
    parts.run(
        [&](Engine& engine) {
            counts = parts.text->encode(text, static_cast<std::int32_t*>(engine.input(0)));
            return counts.n_understood > 0;  // else the model is not asked
        },
        [&](const float* row, const float*) { parts.fill(row, out); });
    out.evidence = counts.n_understood == 0 ? 0.0 : static_cast<double>(counts.n_understood) / counts.n_words;
    out.truncated = counts.truncated;
}

void Recognizer::predict_pcm(const Pcm& pcm, std::int32_t rate_hz, Result& out) const {
    RecognizerParts& parts = *parts_;
    parts.expect(Modality::voice);
    parts.engine.check_process();
    const std::lock_guard<std::mutex> lock(parts.clip_mutex);
    if (!parts.clip || parts.clip_rate_hz != rate_hz || parts.clip_channels != pcm.channels)
        hear_clips(rate_hz, pcm.channels);
    VoiceListener& clip = *parts.clip;
    clip.reset();
    clip.push(pcm, 0);
    clip.flush();
    clip.summary(out);
}

}  // namespace edgeemo
