#include "edgeemo/edgeemo.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <exception>
#include <new>
#include <string>
#include <utility>

#include "edgeemo/errors.h"
#include "edgeemo/recognizer.h"

struct edgeemo_recognizer {
    edgeemo::Recognizer recognizer;
};

struct edgeemo_stream {
    edgeemo::VoiceListener listener;
};

namespace {

using edgeemo::InputError;
using edgeemo::Result;

thread_local std::string last_error;
thread_local Result scratch;  // used again and again, so that a prediction needs no more memory

std::int32_t remember(std::int32_t code, const char* what) noexcept {
    try {
        last_error = what;
    } catch (...) {
        last_error.clear();
    }
    return code;
}

std::int32_t code_of_current() noexcept {
    try {
        throw;
    } catch (const edgeemo::SpecError& e) {
        return remember(EDGEEMO_ERROR_SPEC, e.what());
    } catch (const InputError& e) {
        return remember(EDGEEMO_ERROR_INPUT, e.what());
    } catch (const edgeemo::BundleNotFoundError& e) {
        return remember(EDGEEMO_ERROR_NOT_FOUND, e.what());
    } catch (const edgeemo::BundleCorruptError& e) {
        return remember(EDGEEMO_ERROR_CORRUPT, e.what());
    } catch (const edgeemo::BundleVersionError& e) {
        return remember(EDGEEMO_ERROR_VERSION, e.what());
    } catch (const edgeemo::BundleMismatchError& e) {
        return remember(EDGEEMO_ERROR_MISMATCH, e.what());
    } catch (const edgeemo::BundleError& e) {
        return remember(EDGEEMO_ERROR_BUNDLE, e.what());
    } catch (const edgeemo::RuntimeUnavailableError& e) {
        return remember(EDGEEMO_ERROR_RUNTIME, e.what());
    } catch (const edgeemo::DelegateError& e) {
        return remember(EDGEEMO_ERROR_DELEGATE, e.what());
    } catch (const edgeemo::InferenceError& e) {
        return remember(EDGEEMO_ERROR_INFERENCE, e.what());
    } catch (const std::bad_alloc&) {
        return remember(EDGEEMO_ERROR_MEMORY, "there is not enough memory; close what you do not need");
    } catch (const std::exception& e) {
        return remember(EDGEEMO_ERROR_INTERNAL, e.what());
    } catch (...) {
        return remember(EDGEEMO_ERROR_INTERNAL, "an unknown error; please report it");
    }
}

// Nothing leaves `work` but a code.
template <class Work>
std::int32_t guarded(const Work& work) noexcept {
    try {
        return work();
    } catch (...) {
        return code_of_current();
    }
}

template <class T>
const T& given(const T* pointer, const char* what) {
    if (pointer == nullptr) throw InputError(std::string("expected ") + what + ", got NULL");
    return *pointer;
}

template <class T>
T& given(T* pointer, const char* what) {
    if (pointer == nullptr) throw InputError(std::string("expected ") + what + ", got NULL");
    return *pointer;
}

// Structs only grow at their end: a caller of an older header has a smaller one, never smaller than the
// first.
template <class T>
const T& sized(const T* pointer, const char* what) {
    const T& value = given(pointer, what);
    if (value.struct_size < sizeof(T))
        throw InputError(std::string(what) + ": struct_size is too small; set it to its sizeof");
    return value;
}

edgeemo_result& sized(edgeemo_result* result) {
    sized(static_cast<const edgeemo_result*>(result), "an edgeemo_result");
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
    const std::size_t room = to.probabilities == nullptr ? 0 : to.n_probabilities;
    const std::size_t n = std::min(room, from.probabilities.size());
    std::copy_n(from.probabilities.begin(), n, to.probabilities);
    to.n_probabilities = static_cast<std::uint32_t>(n);
}

edgeemo::Pcm pcm_of(const edgeemo_pcm* pointer) {
    const edgeemo_pcm& from = sized(pointer, "an edgeemo_pcm");
    edgeemo::Pcm pcm;
    pcm.int16 = from.int16;
    pcm.float32 = from.float32;
    pcm.samples = from.samples;
    pcm.channels = from.channels == 0 ? 1 : from.channels;
    const int pointers = (from.int16 != nullptr ? 1 : 0) + (from.float32 != nullptr ? 1 : 0);
    if (pointers > 1 || (pointers == 0 && from.samples != 0))
        throw InputError("expected either int16 or float32 samples, got both or none");
    return pcm;
}

edgeemo::Image image_of(const edgeemo_image* pointer) {
    const edgeemo_image& from = sized(pointer, "an edgeemo_image");
    if (from.pixels == nullptr) throw InputError("expected the pixels of an image, got NULL");
    if (from.color < EDGEEMO_GRAY || from.color > EDGEEMO_NV12)
        throw InputError("color is " + std::to_string(from.color) +
                         ": expected one of EDGEEMO_GRAY to EDGEEMO_NV12");
    edgeemo::Image image;
    image.pixels = from.pixels;
    image.width = from.width;
    image.height = from.height;
    image.color = static_cast<edgeemo::Color>(from.color);
    edgeemo::check_image(image);
    const std::ptrdiff_t bytes = edgeemo::channels_of(image.color);
    image.pixel_stride = bytes;
    image.row_stride = from.row_stride == 0 ? from.width * bytes : from.row_stride;
    return image;
}

// Fields beyond a caller's struct_size are not there.
edgeemo::EngineOptions options_of(const edgeemo_options* pointer) {
    edgeemo::EngineOptions options;
    if (pointer == nullptr) return options;
    edgeemo_options from{};
    constexpr std::size_t kFirst = offsetof(edgeemo_options, delegate_options);  // of version 1
    if (pointer->struct_size < kFirst)
        throw InputError("edgeemo_options: struct_size is too small; set it to its sizeof");
    std::memcpy(&from, pointer, std::min<std::size_t>(pointer->struct_size, sizeof from));
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

}  // namespace

uint32_t edgeemo_abi_version(void) { return EDGEEMO_ABI_VERSION; }

const char* edgeemo_last_error(void) { return last_error.c_str(); }

int32_t edgeemo_open(const char* path, const edgeemo_options* options, edgeemo_recognizer** recognizer) {
    return guarded([&] {
        edgeemo_recognizer*& out = given(recognizer, "a place for the recognizer");
        out = nullptr;
        const std::string file = &given(path, "the path of a bundle");
        out = new edgeemo_recognizer{edgeemo::Recognizer::open(file, options_of(options))};
        return EDGEEMO_OK;
    });
}

void edgeemo_close(edgeemo_recognizer* recognizer) { delete recognizer; }

int32_t edgeemo_probe(const char* path, const edgeemo_options* options, edgeemo_verdict* verdict) {
    return guarded([&] {
        sized(static_cast<const edgeemo_verdict*>(verdict), "an edgeemo_verdict");
        const std::string file = &given(path, "the path of a bundle");
        const edgeemo::Verdict found = edgeemo::Recognizer::probe(file, options_of(options));
        verdict->usable = found.usable ? 1 : 0;
        verdict->ratio = found.ratio;
        const std::size_t n = found.reason.copy(verdict->reason, sizeof verdict->reason - 1);
        verdict->reason[n] = '\0';
        return EDGEEMO_OK;
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

int32_t edgeemo_predict_text(edgeemo_recognizer* recognizer, const char* text, size_t size,
                             edgeemo_result* result) {
    return guarded([&] {
        edgeemo_result& out = sized(result);
        if (text == nullptr && size != 0) throw InputError("expected a text, got NULL");
        given(recognizer, "a recognizer").recognizer.predict_text({size == 0 ? "" : text, size}, scratch);
        fill(scratch, out);
        return EDGEEMO_OK;
    });
}

int32_t edgeemo_predict_pcm(edgeemo_recognizer* recognizer, const edgeemo_pcm* pcm, int32_t rate_hz,
                            edgeemo_result* result) {
    return guarded([&] {
        edgeemo_result& out = sized(result);
        given(recognizer, "a recognizer").recognizer.predict_pcm(pcm_of(pcm), rate_hz, scratch);
        fill(scratch, out);
        return EDGEEMO_OK;
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
            .recognizer.predict_image(picture, box == nullptr ? nullptr : &place, scratch);
        fill(scratch, out);
        return EDGEEMO_OK;
    });
}

int32_t edgeemo_stream_open(edgeemo_recognizer* recognizer, int32_t rate_hz, int32_t channels,
                            edgeemo_stream** stream) {
    return guarded([&] {
        edgeemo_stream*& out = given(stream, "a place for the stream");
        out = nullptr;
        out = new edgeemo_stream{given(recognizer, "a recognizer").recognizer.listen(rate_hz, channels)};
        return EDGEEMO_OK;
    });
}

int32_t edgeemo_stream_push(edgeemo_stream* stream, const edgeemo_pcm* chunk, int64_t t_ms) {
    return guarded([&] {
        given(stream, "a stream").listener.push(pcm_of(chunk), t_ms);
        return EDGEEMO_OK;
    });
}

int32_t edgeemo_stream_flush(edgeemo_stream* stream) {
    return guarded([&] {
        given(stream, "a stream").listener.flush();
        return EDGEEMO_OK;
    });
}

int32_t edgeemo_stream_next(edgeemo_stream* stream, edgeemo_result* result) {
    return guarded([&] {
        edgeemo_result& out = sized(result);
        if (!given(stream, "a stream").listener.next(scratch)) return EDGEEMO_NOTHING;
        fill(scratch, out);
        return EDGEEMO_OK;
    });
}

int32_t edgeemo_stream_summary(const edgeemo_stream* stream, edgeemo_result* result) {
    return guarded([&] {
        edgeemo_result& out = sized(result);
        given(stream, "a stream").listener.summary(scratch);
        fill(scratch, out);
        return EDGEEMO_OK;
    });
}

int32_t edgeemo_stream_reset(edgeemo_stream* stream) {
    return guarded([&] {
        given(stream, "a stream").listener.reset();
        return EDGEEMO_OK;
    });
}

void edgeemo_stream_close(edgeemo_stream* stream) { delete stream; }
