#include "capi/abi.h"

#include <array>
#include <cstdint>
#include <exception>
#include <new>
#include <vector>

namespace edgeemo::abi {
namespace {

static_assert(kResultSchema == EDGEEMO_RESULT_SCHEMA);

std::int32_t remember(std::int32_t code, const char* what) noexcept {
    try {
        last_error() = what;
    } catch (...) {
        last_error().clear();
    }
    return code;
}

std::int32_t code_of(const std::exception& e) noexcept {  // subclasses stand before their bases
    if (dynamic_cast<const SpecError*>(&e) != nullptr) return EDGEEMO_ERROR_SPEC;
    if (dynamic_cast<const InputError*>(&e) != nullptr) return EDGEEMO_ERROR_INPUT;
    if (dynamic_cast<const BundleNotFoundError*>(&e) != nullptr) return EDGEEMO_ERROR_NOT_FOUND;
    if (dynamic_cast<const BundleCorruptError*>(&e) != nullptr) return EDGEEMO_ERROR_CORRUPT;
    if (dynamic_cast<const BundleVersionError*>(&e) != nullptr) return EDGEEMO_ERROR_VERSION;
    if (dynamic_cast<const BundleMismatchError*>(&e) != nullptr) return EDGEEMO_ERROR_MISMATCH;
    if (dynamic_cast<const BundleError*>(&e) != nullptr) return EDGEEMO_ERROR_BUNDLE;
    if (dynamic_cast<const RuntimeUnavailableError*>(&e) != nullptr) return EDGEEMO_ERROR_RUNTIME;
    if (dynamic_cast<const DelegateError*>(&e) != nullptr) return EDGEEMO_ERROR_DELEGATE;
    if (dynamic_cast<const InferenceError*>(&e) != nullptr) return EDGEEMO_ERROR_INFERENCE;
    return EDGEEMO_ERROR_INTERNAL;
}

// Copies what there is room for; returns how many.
std::uint32_t copied(const std::vector<float>& from, float* to, std::uint32_t room) {
    const std::size_t n = to == nullptr ? 0 : std::min<std::size_t>(room, from.size());
    std::copy_n(from.begin(), n, to);
    return static_cast<std::uint32_t>(n);
}

void fill_bursts(const Bursts& from, edgeemo_result& to) {
    const std::vector<float>& all = from.probabilities;
    to.n_bursts = copied(all, to.bursts, to.n_bursts);
    to.burst_labels = from.labels;
    to.burst =
        all.empty() ? -1 : static_cast<std::int32_t>(std::max_element(all.begin(), all.end()) - all.begin());
    std::copy(from.scores.begin(), from.scores.end(), to.burst_scores);
    to.burst_valence = from.valence;
    to.burst_arousal = from.arousal;
}

void fill_face(const Result& from, edgeemo_result& to) {
    const Face face = from.face.value_or(Face{});
    to.track_id = from.track_id;
    const std::array<double, 4> box{face.box.x0, face.box.y0, face.box.x1, face.box.y1};
    const std::array<double, 4> eyes{face.eyes[0].x, face.eyes[0].y, face.eyes[1].x, face.eyes[1].y};
    std::copy(box.begin(), box.end(), to.box);
    std::copy(eyes.begin(), eyes.end(), to.eyes);
    to.face_score = face.score;
}

// Rows never overlap, and none of a picture this wide lie 2 GiB apart.
std::ptrdiff_t row_stride_of(const edgeemo_image& from, std::ptrdiff_t row) {
    const std::ptrdiff_t given = from.row_stride;
    if (given == 0) return row;
    if (from.color == EDGEEMO_NV12 && given < 0)
        throw InputError("row_stride is " + std::to_string(given) +
                         ": nv12 has its second plane below; pass the rows from the top down");
    if ((given < row && given > -row) || given > INT32_MAX || given < -INT32_MAX)
        throw InputError("row_stride is " + std::to_string(given) + ": expected " + std::to_string(row) +
                         " bytes at least for this width and color, and less than 2 GiB; or 0 if rows follow "
                         "each other");
    return given;
}

}  // namespace

Result& scratch() {
    thread_local Result own;
    return own;
}

std::vector<Face>& found() {
    thread_local std::vector<Face> own;
    return own;
}

std::string& last_error() {
    thread_local std::string own;
    return own;
}

std::int32_t code_of_current() noexcept {
    try {
        throw;
    } catch (const std::bad_alloc&) {
        return remember(EDGEEMO_ERROR_MEMORY, "there is not enough memory; close what you do not need");
    } catch (const std::exception& e) {
        return remember(code_of(e), e.what());
    } catch (...) {
        return remember(EDGEEMO_ERROR_INTERNAL, "an unknown error; please report it");
    }
}

edgeemo_result& sized(edgeemo_result* result) {
    check_size(given(result, "an edgeemo_result"), "an edgeemo_result");
    return *result;
}

void fill(const Result& from, edgeemo_result& to) {
    std::copy(from.scores.begin(), from.scores.end(), to.scores);
    const auto best = std::max_element(from.scores.begin(), from.scores.end());
    to.label = static_cast<std::int32_t>(best - from.scores.begin());
    to.confidence = *best;
    to.valence = from.valence;
    to.arousal = from.arousal;
    to.evidence = static_cast<float>(from.evidence);
    to.truncated = from.truncated ? 1 : 0;
    to.start_ms = from.start_ms;
    to.end_ms = from.end_ms;
    to.n_probabilities = copied(from.probabilities, to.probabilities, to.n_probabilities);
    if (to.struct_size >= kWithFace) fill_face(from, to);
    if (to.struct_size < kWithModel) return;
    to.model = from.model;
    to.version = from.version;
    to.source = from.source;
    to.schema = kResultSchema;
    if (to.struct_size < kWithKind) return;
    to.kind = static_cast<std::int32_t>(from.kind);
    if (to.struct_size >= kWithBursts) fill_bursts(from.bursts, to);
}

Pcm pcm_of(const edgeemo_pcm* pointer) {
    const edgeemo_pcm from = known(pointer, "an edgeemo_pcm");
    Pcm pcm;
    pcm.int16 = from.int16;
    pcm.float32 = from.float32;
    pcm.samples = from.samples;
    pcm.channels = from.channels == 0 ? 1 : from.channels;
    const int pointers = (from.int16 != nullptr ? 1 : 0) + (from.float32 != nullptr ? 1 : 0);
    if (pointers > 1 || (pointers == 0 && from.samples != 0))
        throw InputError("expected either int16 or float32 samples, got both or none");
    return pcm;
}

Image image_of(const edgeemo_image* pointer) {
    const edgeemo_image from = known(pointer, "an edgeemo_image");
    if (from.pixels == nullptr) throw InputError("expected the pixels of an image, got NULL");
    if (from.color < EDGEEMO_GRAY || from.color > EDGEEMO_NV12)
        throw InputError("color is " + std::to_string(from.color) +
                         ": expected one of EDGEEMO_GRAY to EDGEEMO_NV12");
    Image image;
    image.pixels = from.pixels;
    image.width = from.width;
    image.height = from.height;
    image.color = static_cast<Color>(from.color);
    check_image(image);
    const std::ptrdiff_t bytes = channels_of(image.color);
    image.pixel_stride = bytes;
    image.row_stride = row_stride_of(from, image.width * bytes);
    return image;
}

}  // namespace edgeemo::abi
