#include "edgeemo/edgeemo.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/utf8.h"
#include "capi/abi.h"

using edgeemo::InputError;
using edgeemo::abi::check_size;
using edgeemo::abi::fill;
using edgeemo::abi::given;
using edgeemo::abi::guarded;
using edgeemo::abi::image_of;
using edgeemo::abi::scratch;
using edgeemo::abi::sized;
using edgeemo::abi::Uncancelled;

namespace {

edgeemo::EngineOptions options_of(const edgeemo_options* pointer) {
    edgeemo::EngineOptions options;
    if (pointer == nullptr) return options;
    const edgeemo_options from = edgeemo::abi::known(pointer, "edgeemo_options");
    if (from.threads != 0) options.threads = from.threads;
    if (from.library != nullptr) options.library = from.library;
    if (from.delegate != nullptr) options.delegate = from.delegate;
    if (from.delegate_options != nullptr) options.delegate_options = from.delegate_options;
    if (options.delegate.find('/') != std::string::npos)
        throw edgeemo::DelegateError(
            "External TFLite delegates (" + options.delegate +
            ") are not known in C: expected 'auto', 'cpu' or 'gpu'; Python has them.");
    return options;
}

std::string detector_of(const edgeemo_options* pointer) {
    if (pointer == nullptr) return {};
    const edgeemo_options from = edgeemo::abi::known(pointer, "edgeemo_options");
    return from.detector == nullptr ? "" : from.detector;
}

}  // namespace

uint32_t edgeemo_abi_version(void) { return EDGEEMO_ABI_VERSION; }

const char* edgeemo_last_error(void) { return edgeemo::abi::last_error().c_str(); }

int32_t edgeemo_open(const char* path, const edgeemo_options* options, edgeemo_recognizer** recognizer) {
    return guarded([&] {
        edgeemo_recognizer*& out = given(recognizer, "a place for the recognizer");
        out = nullptr;
        const std::string file = &given(path, "the path of a bundle");
        out = new edgeemo_recognizer{
            edgeemo::Recognizer::open(file, options_of(options), detector_of(options))};
    });
}

void edgeemo_close(edgeemo_recognizer* recognizer) {
    const Uncancelled now;
    delete recognizer;
}

int32_t edgeemo_probe(const char* path, const edgeemo_options* options, edgeemo_verdict* verdict) {
    return guarded([&] {
        check_size(given(verdict, "an edgeemo_verdict"), "an edgeemo_verdict");
        const std::string file = &given(path, "the path of a bundle");
        const edgeemo::Verdict found = edgeemo::Recognizer::probe(file, options_of(options));
        verdict->usable = found.usable ? 1 : 0;
        verdict->ratio = found.ratio;
        const std::size_t n = edgeemo::unicode::well_formed(found.reason, sizeof verdict->reason - 1)
                                  .copy(verdict->reason, sizeof verdict->reason - 1);
        verdict->reason[n] = '\0';
    });
}

const char* edgeemo_delegate(const edgeemo_recognizer* recognizer) {
    return recognizer == nullptr ? nullptr : recognizer->recognizer.delegate().c_str();
}

const char* edgeemo_delegate_reason(const edgeemo_recognizer* recognizer) {
    return recognizer == nullptr ? nullptr : recognizer->recognizer.delegate_reason().c_str();
}

const char* edgeemo_emotion(int32_t index) {
    const bool there = index >= 0 && index < EDGEEMO_EMOTIONS;
    return there ? edgeemo::kEmotionNames[static_cast<std::size_t>(index)] : nullptr;
}

const char* edgeemo_name(const edgeemo_recognizer* recognizer) {
    return recognizer == nullptr ? nullptr : recognizer->recognizer.card().name.c_str();
}

const char* edgeemo_modality(const edgeemo_recognizer* recognizer) {
    return recognizer == nullptr ? nullptr : edgeemo::name_of(recognizer->recognizer.card().modality);
}

const char* edgeemo_commercial(const edgeemo_recognizer* recognizer) {
    return recognizer == nullptr ? nullptr : recognizer->recognizer.card().commercial.c_str();
}

uint32_t edgeemo_n_labels(const edgeemo_recognizer* recognizer) {
    return recognizer == nullptr ? 0 : static_cast<uint32_t>(recognizer->recognizer.card().labels.size());
}

const char* edgeemo_label(const edgeemo_recognizer* recognizer, uint32_t index) {
    return index < edgeemo_n_labels(recognizer) ? recognizer->recognizer.card().labels[index].c_str()
                                                : nullptr;
}

float edgeemo_threshold(const edgeemo_recognizer* recognizer, uint32_t index) {
    return index < edgeemo_n_labels(recognizer) ? recognizer->recognizer.card().readout.thresholds[index]
                                                : 1.0F;
}

uint32_t edgeemo_n_bursts(const edgeemo_recognizer* recognizer) {
    return recognizer == nullptr ? 0
                                 : static_cast<uint32_t>(recognizer->recognizer.card().burst_labels.size());
}

int32_t edgeemo_time_stages(edgeemo_recognizer* recognizer, int32_t on) {
    return guarded([&] { given(recognizer, "a recognizer").recognizer.time_stages(on != 0); });
}

int32_t edgeemo_stage_times_of(const edgeemo_recognizer* recognizer, edgeemo_stage_times* times) {
    return guarded([&] {
        check_size(given(times, "an edgeemo_stage_times"), "an edgeemo_stage_times");
        const edgeemo::StageTimes found = given(recognizer, "a recognizer").recognizer.stage_times();
        times->calls = found.calls;
        const std::array<std::int64_t*, edgeemo::kStages> places{&times->detect_ns,     &times->frontend_ns,
                                                                 &times->quantize_ns,   &times->invoke_ns,
                                                                 &times->dequantize_ns, &times->post_ns};
        for (std::size_t i = 0; i < places.size(); ++i) *places[i] = found.ns[i];
    });
}

int32_t edgeemo_predict_text(edgeemo_recognizer* recognizer, const char* text, size_t size,
                             edgeemo_result* result) {
    return guarded([&] {
        edgeemo_result& out = sized(result);
        if (text == nullptr && size != 0) throw InputError("expected a text, got NULL");
        if (size > PTRDIFF_MAX)
            throw InputError("size is " + std::to_string(size) +
                             ", more than memory holds; check what counted it (-1 of a read that failed?)");
        given(recognizer, "a recognizer").recognizer.predict_text({size == 0 ? "" : text, size}, scratch());
        fill(scratch(), out);
    });
}

int32_t edgeemo_predict_pcm(edgeemo_recognizer* recognizer, const edgeemo_pcm* pcm, int32_t rate_hz,
                            edgeemo_result* result) {
    return guarded([&] {
        edgeemo_result& out = sized(result);
        given(recognizer, "a recognizer")
            .recognizer.predict_pcm(edgeemo::abi::pcm_of(pcm), rate_hz, scratch());
        fill(scratch(), out);
    });
}

int32_t edgeemo_predict_image(edgeemo_recognizer* recognizer, const edgeemo_image* image, const double* box,
                              edgeemo_result* result) {
    return guarded([&] {
        edgeemo_result& out = sized(result);
        edgeemo::Box place;
        if (box != nullptr) place = {box[0], box[1], box[2], box[3]};
        const edgeemo::Image picture = image_of(image);
        given(recognizer, "a recognizer")
            .recognizer.predict_image(picture, box == nullptr ? nullptr : &place, scratch());
        fill(scratch(), out);
    });
}

int32_t edgeemo_predict_front(edgeemo_recognizer* recognizer, const edgeemo_image* image,
                              edgeemo_result* result) {
    return guarded([&] {
        edgeemo_result& out = sized(result);
        given(recognizer, "a recognizer").recognizer.predict_front(image_of(image), scratch());
        fill(scratch(), out);
    });
}

int32_t edgeemo_predict_faces(edgeemo_recognizer* recognizer, const edgeemo_image* image,
                              edgeemo_result* results, uint32_t* n_results) {
    return guarded([&] {
        uint32_t& n = given(n_results, "a number of results");
        const std::size_t room = n;
        n = 0;
        const std::size_t step = room == 0 ? 0 : sized(results).struct_size;  // of an older header it is less
        if (step % alignof(edgeemo_result) != 0)
            throw InputError("an edgeemo_result: struct_size is not a sizeof; set it to that of the struct");
        const auto place = [&](std::size_t i) -> edgeemo_result& {
            return *reinterpret_cast<edgeemo_result*>(reinterpret_cast<unsigned char*>(results) + i * step);
        };
        for (std::size_t i = 0; i < room; ++i)  // before the first is written
            if (place(i).struct_size != step)
                throw InputError("set struct_size of each result, all the same");
        const edgeemo::Recognizer& reader = given(recognizer, "a recognizer").recognizer;
        const edgeemo::Image picture = image_of(image);
        std::vector<edgeemo::Face>& faces = edgeemo::abi::found();
        reader.find_faces(picture, faces);
        for (std::size_t i = 0; i < std::min(room, faces.size()); ++i) {
            edgeemo_result& out = place(i);
            reader.predict_face(picture, faces[i], scratch());
            fill(scratch(), out);
            ++n;
        }
    });
}
