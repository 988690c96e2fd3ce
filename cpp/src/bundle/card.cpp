#include <algorithm>
#include <array>
#include <set>

#include "bundle/card_bursts.h"
#include "bundle/card_fields.h"
#include "bundle/card_labels.h"
#include "edgeemo/bundle.h"
#include "edgeemo/errors.h"
#include "face/face_fields.h"
#include "text/text_fields.h"
#include "voice/voice_fields.h"

namespace edgeemo {
namespace {

void check_names(const Value& card) {
    const std::set<std::string_view> of_all{"assets",
                                            "commercial",
                                            "data",
                                            "description",
                                            "flatbuffer_sha256",
                                            "frontend_version",
                                            "golden",
                                            "licence",
                                            "metrics",
                                            "modality",
                                            "name",
                                            "outputs",
                                            "quantization",
                                            "schema",
                                            "spec",
                                            "spec_digest",
                                            "title",
                                            "tools",
                                            "version"};
    const std::set<std::string_view> of_recognizers{"affect",   "bursts",      "calibration",
                                                    "emotions", "evidence",    "groups",
                                                    "labels",   "multi_label", "thresholds"};
    const bool finds = card.find("detector") != nullptr;
    for (const auto& [name, value] : card.members)
        if (name != "detector" && of_all.count(name) == 0 && (finds || of_recognizers.count(name) == 0))
            throw BundleCorruptError("The model card has unknown fields: " + name +
                                     ". Fetch or convert the bundle again.");
}

void check_schema(const Value& card) {
    const Value* const schema = card.find("schema");
    if (schema == nullptr || !schema->is(Kind::number) || !schema->whole || schema->number < 1)
        throw BundleCorruptError("The model card has no schema number. Fetch or convert the bundle again.");
    if (schema->number > kCardSchema)
        throw BundleVersionError("The model card has a schema newer than " + std::to_string(kCardSchema) +
                                 ": made by a newer edgeemo; upgrade.");
}

// Checks the fields that do not affect how the model is used, but are in every card.
void check_rest(const Value& card) {
    for (const char* const name : {"title", "description"}) optional(card, name, Kind::text);
    for (const char* const name : {"quantization", "metrics", "tools"}) optional(card, name, Kind::object);
    check_texts(optional(card, "tools", Kind::object), "tools");
    const Value* const frontend = card.find("frontend_version");
    require(frontend == nullptr || (frontend->is(Kind::number) && frontend->whole),
            "frontend_version must be a whole number");
    for (const Value& source : field(card, "data", Kind::list).items) {
        require(source.is(Kind::object), "data must be described by text");
        for (const char* const name : {"data.name", "data.licence", "data.use"})
            field(source, name, Kind::text);
        for (const auto& [key, value] : source.members)
            require(
                value.is(Kind::text) && (key == "name" || key == "licence" || key == "use" || key == "url"),
                "data must be described by text");
    }
    for (const Value& example : optional(card, "golden", Kind::list).items)
        require(example.is(Kind::object), "golden must be a list of examples");
}

// The frontend that the weights were trained with must be one that this release has.
void check_frontend(const Value& card, Modality modality) {
    const Value* const version = card.find("frontend_version");
    if (version == nullptr) return;
    require(version->number >= 1, "frontend_version must be 1 or more");
    const int ours = modality == Modality::text    ? kTextFrontendVersion
                     : modality == Modality::voice ? kVoiceFrontendVersion
                                                   : kFaceFrontendVersion;
    if (version->number > ours)
        throw BundleVersionError("The model card has frontend_version " +
                                 std::to_string(static_cast<std::int64_t>(std::min(version->number, 1e15))) +
                                 ", this edgeemo has " + std::to_string(ours) +
                                 ": made by a newer edgeemo; upgrade.");
}

void read_emotions(const Value& raw, Card& card) {
    ScoreRule& rule = card.readout.scores;
    rule.groups = read_groups(raw, "emotions", card.labels);
    card.readout.neutral = rule.groups[0];
    if (rule.multi_label || rule.groups[0].empty()) return;  // of exclusive labels one takes all
    const auto same = std::find(card.labels.begin(), card.labels.end(), "neutral");
    const auto label = static_cast<int>(same - card.labels.begin());
    const bool there = std::count(rule.groups[0].begin(), rule.groups[0].end(), label) != 0;
    card.readout.neutral = {there ? label : rule.groups[0].front()};
}

void read_calibration(const Value& raw, Card& card) {
    const Value& calibration = field(raw, "calibration", Kind::object);
    ScoreRule& rule = card.readout.scores;
    for (const Value& x : field(calibration, "calibration.scale", Kind::list).items)
        rule.scale.push_back(number(x));
    for (const Value& x : field(calibration, "calibration.bias", Kind::list).items)
        rule.bias.push_back(number(x));
    require(rule.scale.size() == card.labels.size() && rule.bias.size() == card.labels.size(),
            "calibration must have one scale and one bias per label");
    const double temperature = field(calibration, "calibration.temperature", Kind::number).number;
    require(temperature >= 0.05 && temperature <= 20, "calibration.temperature must lie between 0.05 and 20");
    rule.temperature = static_cast<float>(temperature);
}

void read_thresholds(const Value& raw, Card& card) {
    const Value& thresholds = field(raw, "thresholds", Kind::object);
    require(thresholds.members.size() == card.labels.size(), "thresholds must give one number per label");
    for (const std::string& label : card.labels) {
        const Value* const found = thresholds.find(label);
        require(found != nullptr, "thresholds must give one number per label");
        card.readout.thresholds.push_back(number(*found));
    }
    for (const auto& [name, groups] : optional(raw, "groups", Kind::object).members) {
        require(groups.is(Kind::object), "groups must be made of groups");
        for (const auto& [key, group] : groups.members) {
            for (const Value& label : field(group, "groups.labels", Kind::list).items)
                label_of(card.labels, label, "groups name unknown labels");
            number(field(group, "groups.threshold", Kind::number));
        }
    }
}

void read_outputs(const Value& raw, Card& card) {
    const Value& outputs = field(raw, "outputs", Kind::object);
    const auto name = [&](const char* role) {
        const Value* const found = outputs.find(role);
        return found == nullptr ? std::string() : found->text;
    };
    card.labels_output = name("labels");
    card.affect_output = name("affect");
    card.speech_output = name("speech");
    card.embedding_output = name("embedding");
    const Value* const affect = raw.find("affect");
    const bool given = affect != nullptr && !affect->is(Kind::null);
    require(outputs.find("labels") != nullptr && (given || outputs.find("affect") != nullptr),
            "outputs must name labels, and affect unless the card gives each label's valence and arousal");
    if (!given) return;
    card.affect_output.clear();
    require(affect->is(Kind::object) && affect->members.size() == card.labels.size(),
            "affect must give valence and arousal of every label");
    for (const std::string& label : card.labels) {
        const Value* const pair = affect->find(label);
        require(pair != nullptr && pair->is(Kind::list) && pair->items.size() >= 2,
                "affect must give valence and arousal of every label");
        card.readout.affect.push_back({number(pair->items[0]), number(pair->items[1])});
    }
}

void read_evidence(const Value& raw, Card& card) {
    const Value& evidence = optional(raw, "evidence", Kind::object);
    const bool has_speech = field(raw, "outputs", Kind::object).find("speech") != nullptr;
    require(evidence.members.empty() != has_speech,
            "evidence must be given if outputs name speech, and only then");
    if (evidence.members.empty()) return;
    require(evidence.members.size() == 3, "evidence must give threshold, least and enough");
    for (const auto& [name, value] : evidence.members)
        require(value.is(Kind::number), "evidence must give numbers");
    ReadoutRule& rule = card.readout;
    rule.weighs = true;
    rule.speech_threshold = field(evidence, "evidence.threshold", Kind::number).number;
    rule.least = field(evidence, "evidence.least", Kind::number).number;
    rule.enough = field(evidence, "evidence.enough", Kind::number).number;
    require(rule.speech_threshold > 0 && rule.speech_threshold < 1,
            "evidence.threshold must lie between 0 and 1");
    require(rule.least >= 0 && rule.least < rule.enough && rule.enough <= 1,
            "evidence must have 0 <= least < enough <= 1");
}

// Inputs that golden_inputs.cpp can make.
void read_golden(const Value& raw, Card& card) {
    for (const Value& example : optional(raw, "golden", Kind::list).items) {
        for (const char* const name : {"text", "signal", "drawing"}) {
            const Value* const input = example.find(name);
            if (input != nullptr && input->is(Kind::text)) card.golden.push_back(input->text);
        }
    }
}

void read_any_spec(const Value& raw, Card& card) {
    const Value& spec = field(raw, "spec", Kind::object);
    if (card.modality == Modality::text) {
        card.spec = read_spec<TextSpec>(spec);
    } else if (card.modality == Modality::voice) {
        card.spec = read_spec<VoiceSpec>(spec);
    } else {
        card.spec = read_spec<FaceSpec>(spec);
    }
}

void read_detector(const Value& raw, Card& card) {
    const Value& detector = *raw.find("detector");
    require(detector.is(Kind::object) && !detector.members.empty(),
            "detector must say how the outputs become faces");
    require(card.modality == Modality::face, "a detector's modality is face");
    const Value& outputs = field(raw, "outputs", Kind::object);
    const auto name = [&](const char* role) {
        const Value* const found = outputs.find(role);
        require(found != nullptr && outputs.members.size() == 3, "outputs must name logits, boxes and eyes");
        return found->text;
    };
    card.detector.emplace();
    card.detector->logits_output = name("logits");
    card.detector->boxes_output = name("boxes");
    card.detector->eyes_output = name("eyes");
}

void read_what_is_recognized(const Value& raw, Card& card) {
    card.readout.scores.multi_label = field(raw, "multi_label", Kind::boolean).boolean;
    card.labels = read_names(raw, "labels");
    read_emotions(raw, card);
    read_calibration(raw, card);
    read_thresholds(raw, card);
    read_outputs(raw, card);
    read_evidence(raw, card);
    read_bursts(raw, card);
}

Modality modality_of(const std::string& name) {
    for (const Modality m : {Modality::text, Modality::voice, Modality::face})
        if (name == name_of(m)) return m;
    invalid("its modality is none of text, voice, face");
}

Card read_all_but_spec(const Value& raw) {
    check_schema(raw);
    check_names(raw);
    Card card;
    card.name = field(raw, "name", Kind::text).text;
    card.version = field(raw, "version", Kind::text).text;
    card.title = optional(raw, "title", Kind::text).text;
    card.licence = field(raw, "licence", Kind::text).text;
    card.commercial = field(raw, "commercial", Kind::text).text;
    require(card.commercial == "cleared" || card.commercial == "unclear" || card.commercial == "no",
            "commercial must be cleared, unclear or no");
    card.modality = modality_of(field(raw, "modality", Kind::text).text);
    card.spec_digest = field(raw, "spec_digest", Kind::text).text;
    field(raw, "spec", Kind::object);
    card.flatbuffer_sha256 = optional(raw, "flatbuffer_sha256", Kind::text).text;
    check_texts(optional(raw, "assets", Kind::object), "assets");
    for (const auto& [name, digest] : optional(raw, "assets", Kind::object).members)
        card.assets[name] = digest.text;
    check_texts(field(raw, "outputs", Kind::object), "outputs");
    for (const auto& [role, name] : field(raw, "outputs", Kind::object).members)
        card.outputs.push_back(name.text);
    raw.find("detector") == nullptr ? read_what_is_recognized(raw, card) : read_detector(raw, card);
    check_rest(raw);
    read_golden(raw, card);
    return card;
}

}  // namespace

const char* name_of(Modality value) {
    constexpr std::array<const char*, 3> kNames{"text", "voice", "face"};
    return kNames[static_cast<std::size_t>(value)];
}

void check_card(std::string_view text) { read_all_but_spec(json::parse(text)); }

Card read_card(std::string_view text) {
    const Value raw = json::parse(text);
    Card card = read_all_but_spec(raw);
    check_frontend(raw, card.modality);
    read_any_spec(raw, card);
    if (card.detector) card.detector->spec = read_spec<DetectorSpec>(*raw.find("detector"));
    return card;
}

}  // namespace edgeemo
