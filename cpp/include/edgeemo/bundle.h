// The bundle: a .tflite followed by a ZIP with the card and the assets, checked whole before anything is
// used.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "edgeemo/detect.h"
#include "edgeemo/engine.h"
#include "edgeemo/face.h"
#include "edgeemo/readout.h"
#include "edgeemo/text.h"
#include "edgeemo/voice.h"

namespace edgeemo {

inline constexpr std::int32_t kCardSchema = 1;  // the newest this release reads
inline constexpr std::size_t kCardLimit = 64 * 1024;
inline constexpr std::size_t kAssetsLimit = 4 * 1024 * 1024;
inline constexpr std::size_t kFileLimit = 64 * 1024 * 1024;

enum class Modality { text, voice, face };

const char* name_of(Modality value);

// How the heads of a model that finds faces become faces, and what they are called in its signature.
struct DetectorRule {
    DetectorSpec spec;
    std::string logits_output, boxes_output, eyes_output;
};

// The part of a card that the model needs. All of it was checked.
struct Card {
    std::string name, version, title, licence, commercial;  // commercial: "cleared", "unclear" or "no"
    Modality modality = Modality::text;
    std::optional<DetectorRule>
        detector;  // of a model that finds faces: it has no labels and nothing to read out
    std::vector<std::string> labels;
    ReadoutRule readout;
    std::vector<std::string> burst_labels;  // of sounds without words; empty: the model hears none
    ReadoutRule bursts;                     // how to read them
    std::string labels_output, affect_output, speech_output;  // names in the signature; empty: none
    std::string bursts_output, embedding_output;
    std::vector<std::string> outputs;  // all names of outputs that the card gives
    std::variant<TextSpec, VoiceSpec, FaceSpec> spec;
    std::string spec_digest, flatbuffer_sha256;
    std::vector<std::string> golden;            // texts, or names of golden.h
    std::map<std::string, std::string> assets;  // file name to SHA-256
};

// Throws BundleCorruptError, BundleVersionError (a newer schema or frontend) or SpecError.
Card read_card(std::string_view json);

// The same rules but for the version of the frontend and its spec: what a card must be to be written.
void check_card(std::string_view json);

// The files of a bundle beside its card, by name.
using Assets = std::map<std::string, std::string_view>;

struct Bundle {
    Card card;
    ModelBytes model;  // of the flatbuffer
    std::string_view card_json;
    Assets assets;  // as long as model.keep, like card_json

    // Throws BundleNotFoundError, BundleError (it cannot be read), BundleCorruptError, BundleVersionError or
    // SpecError.
    static Bundle open(const std::string& path);

    // The same of bytes in memory, which `bytes.keep` keeps; `name` is for messages.
    static Bundle from_bytes(ModelBytes bytes, const std::string& name = "the bundle");
};

}  // namespace edgeemo
