#include "edgeemo/recognizer.h"

#include <algorithm>
#include <utility>

#include "edgeemo/errors.h"
#include "online/recognizer_parts.h"

namespace edgeemo {
namespace {

constexpr const char* kDetector = "face-detector.tflite";
constexpr std::int64_t kSliceSeconds = 30;  // of a clip at once, so that memory stays flat

const Card& that_recognizes(const Card& card) {
    if (!card.detector) return card;
    throw BundleMismatchError(
        card.name +
        " finds faces and recognizes no emotion. Open it as a face detector, or pass it "
        "as the detector of a face bundle.");
}

std::int32_t size_of(const std::vector<std::string>& labels) {
    return static_cast<std::int32_t>(labels.size());
}

// Reads a clip slice by slice; each(out) gets its results.
void read_clip(VoiceListener& clip, const Pcm& pcm, std::int32_t rate_hz, Result& out,
               const std::function<void(const Result&)>& each) {
    clip.check(pcm);  // the whole: errors count samples from its beginning
    const auto take = [&] {
        while (clip.next(out))
            if (each) each(out);
    };
    const auto channels = static_cast<std::size_t>(std::max(pcm.channels, 1));
    const auto slice = static_cast<std::size_t>(kSliceSeconds * rate_hz);
    for (std::size_t begin = 0; begin < pcm.samples; begin += slice) {
        Pcm part = pcm;
        part.samples = std::min(slice, pcm.samples - begin);
        if (pcm.int16 != nullptr) part.int16 += begin * channels;
        if (pcm.float32 != nullptr) part.float32 += begin * channels;
        clip.push(part, static_cast<std::int64_t>(begin) * 1000 / rate_hz);
        take();
    }
    clip.flush();
    take();
}

}  // namespace

RecognizerParts::RecognizerParts(Card c, const Assets& assets, std::shared_ptr<LoadedModel> loaded)
    : card(std::move(c)), model(std::move(loaded)), readout(that_recognizes(card).readout) {
    if (const auto* spec = std::get_if<TextSpec>(&card.spec)) text.emplace(*spec, pieces_of(assets));
    if (const auto* spec = std::get_if<VoiceSpec>(&card.spec)) voice.emplace(*spec);
    if (const auto* spec = std::get_if<FaceSpec>(&card.spec)) face.emplace(*spec);
    check_fit(card, model->inputs);
    const auto& outputs = model->outputs;
    for (const std::string& name : card.outputs) output_of(card, outputs, name, "outputs", {});
    labels_at = output_of(card, outputs, card.labels_output, "labels", {1, size_of(card.labels)});
    if (!card.affect_output.empty())
        affect_at = output_of(card, outputs, card.affect_output, "affect", {1, 2});
    if (voice) {
        if (card.speech_output.empty()) mismatch(card, "the card names no speech output");
        speech_at = output_of(card, outputs, card.speech_output, "speech", {});
        const TensorInfo& output = outputs[*speech_at];
        const auto blocks = static_cast<std::int32_t>(output.count);
        const std::int32_t frames = voice->spec().span_frames;
        if (output.shape.size() != 2 || output.shape[0] != 1 || blocks < 1 || frames % blocks != 0)
            mismatch(card, "its speech output needs a shape (1, blocks) that divides the span of " +
                               std::to_string(frames) + " frames");
        block_frames = frames / blocks;
        speech.resize(static_cast<std::size_t>(blocks));
    }
    if (!card.embedding_output.empty()) {  // for adaptation; here only its form matters
        const TensorInfo& output = outputs[output_of(card, outputs, card.embedding_output, "embedding", {})];
        if (output.shape.size() != 2 || output.shape[0] != 1 || output.count == 0)
            mismatch(card, "its embedding output needs a shape (1, n)");
    }
    if (!card.bursts_output.empty()) hear_bursts();
    logits.resize(readout.labels());
    row.resize(readout.row_size());
    neutral.resize(readout.row_size());
    readout.neutral(neutral.data());
}

void RecognizerParts::hear_bursts() {
    const std::int32_t n = size_of(card.burst_labels);
    bursts_at = output_of(card, model->outputs, card.bursts_output, "bursts", {1, n});
    bursts.emplace(card.bursts);
    for (const std::string& name : card.burst_labels) burst_names.push_back(name.c_str());
    burst_logits.assign(bursts->labels(), 0.0F);
    burst_row.resize(bursts->row_size());
    no_burst.resize(bursts->row_size());
    constexpr float kCertain = 1e6F;  // a logit; without a label for "none", all labels are as likely
    for (const int label : card.bursts.neutral) burst_logits[static_cast<std::size_t>(label)] = kCertain;
    bursts->read(burst_logits.data(), nullptr, no_burst.data());
}

void RecognizerParts::expect(Modality wanted) const {
    if (card.modality == wanted) return;
    throw BundleMismatchError(card.name + " reads " + name_of(card.modality) + ", not " + name_of(wanted) +
                              ". Open a bundle of that modality.");
}

Verdict Recognizer::probe(const std::string& path, const EngineOptions& options) {
    const Bundle bundle = Bundle::open(path);
    return probe_gpu(bundle.model, options, [&] { return goldens_of(bundle.card, bundle.assets); });
}

Recognizer::Recognizer(Card card, const Assets& assets, std::shared_ptr<LoadedModel> model)
    : parts_(std::make_shared<RecognizerParts>(std::move(card), assets, std::move(model))) {}

Recognizer::Recognizer(Bundle bundle, const EngineOptions& options)
    : Recognizer{that_recognizes(bundle.card), bundle.assets,
                 load_model(bundle, options)} {  // braces: in this order
    parts_->finder_options = options;
    if (options.delegate != "cpu") parts_->finder_options.delegate = "auto";
}

Recognizer Recognizer::open(const std::string& path, const EngineOptions& options,
                            const std::string& detector) {
    Recognizer opened(Bundle::open(path), options);
    RecognizerParts& parts = *opened.parts_;
    const Card& card = parts.card;
    if (card.modality != Modality::face && !detector.empty())
        throw InputError(card.name + " reads " + name_of(card.modality) + ": leave the detector out");
    parts.finder_path = detector.empty() ? path.substr(0, path.rfind('/') + 1) + kDetector : detector;
    if (!detector.empty()) parts.finder();
    return opened;
}

const Card& Recognizer::card() const { return parts_->card; }
const std::string& Recognizer::delegate() const { return parts_->model->delegate; }
const std::string& Recognizer::delegate_reason() const { return parts_->model->reason; }

void Recognizer::time_stages(bool on) {
    parts_->times_kept = {};
    parts_->times = on ? &parts_->times_kept : nullptr;
}

StageTimes Recognizer::stage_times() const { return parts_->times_kept; }

void Recognizer::predict_text(std::string_view text, Result& out) const {
    RecognizerParts& parts = *parts_;
    parts.expect(Modality::text);
    const StageClock clock(parts.times);
    TextCounts counts;
    parts.run(
        [&](ModelRunner& runner) {
            counts = parts.text->encode(text, static_cast<std::int32_t*>(runner.input(0)));
            return counts.n_understood > 0;  // else the model is not asked
        },
        [&](const float* row, const float*) { parts.fill(row, out); });
    out.evidence = counts.n_understood == 0 ? 0.0 : static_cast<double>(counts.n_understood) / counts.n_words;
    out.truncated = counts.truncated;
}

void Recognizer::predict_pcm(const Pcm& pcm, std::int32_t rate_hz, Result& out,
                             const std::function<void(const Result&)>& each) const {
    RecognizerParts& parts = *parts_;
    parts.expect(Modality::voice);
    parts.model->check_usable();
    const std::lock_guard<std::mutex> lock(parts.clip_mutex);
    if (!parts.clip || parts.clip_rate_hz != rate_hz || parts.clip_channels != pcm.channels)
        hear_clips(rate_hz, pcm.channels);
    VoiceListener& clip = *parts.clip;
    clip.reset();
    read_clip(clip, pcm, rate_hz, out, each);
    clip.summary(out);
}

void Recognizer::utterances(const Pcm& pcm, std::int32_t rate_hz,
                            const std::function<void(const Result&)>& each,
                            const VoiceStreamSpec& spec) const {
    VoiceResults alone;
    alone.spans = false;
    alone.utterances = true;
    VoiceListener clip = listen(rate_hz, pcm.channels, alone, spec);
    Result out;
    read_clip(clip, pcm, rate_hz, out, each);
}

}  // namespace edgeemo
