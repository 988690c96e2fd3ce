#include <optional>
#include <string>
#include <utility>

#include "capi/abi.h"

using edgeemo::FaceWatcher;
using edgeemo::VoiceListener;
using edgeemo::abi::fill;
using edgeemo::abi::given;
using edgeemo::abi::guarded;
using edgeemo::abi::scratch;
using edgeemo::abi::sized;
using edgeemo::abi::Uncancelled;

namespace {

// The stream as the kind that a function is for.
template <class Kind, class Stream>
auto& as(Stream& stream, const char* remedy) {
    auto* const found = std::get_if<Kind>(&stream.of);
    if (found == nullptr)
        throw edgeemo::BundleMismatchError(std::string("the stream is of another kind: ") + remedy);
    return *found;
}

template <class Stream>
auto& voice(Stream* stream) {
    return as<VoiceListener>(given(stream, "a stream"), "this is for voices, made by edgeemo_stream_open");
}

FaceWatcher& faces(edgeemo_stream* stream) {
    return as<FaceWatcher>(given(stream, "a stream"), "this is for faces, made by edgeemo_stream_open_faces");
}

// A field of edgeemo_face_options, or its default.
std::int32_t chosen(const char* field, std::int32_t value, std::int32_t least, std::int32_t most,
                    std::int32_t otherwise) {
    if (value == 0) return otherwise;
    if (value >= least && value <= most) return value;
    throw edgeemo::InputError(std::string(field) + " must be in [" + std::to_string(least) + ", " +
                              std::to_string(most) + "], got " + std::to_string(value) + "; 0 is " +
                              std::to_string(otherwise));
}

}  // namespace

int32_t edgeemo_stream_open(edgeemo_recognizer* recognizer, int32_t rate_hz, int32_t channels,
                            edgeemo_stream** stream) {
    return guarded([&] {
        edgeemo_stream*& out = given(stream, "a place for the stream");
        out = nullptr;
        out = new edgeemo_stream{
            given(recognizer, "a recognizer").recognizer.listen(rate_hz, channels == 0 ? 1 : channels)};
    });
}

int32_t edgeemo_stream_open_faces(edgeemo_recognizer* recognizer, const edgeemo_face_options* options,
                                  edgeemo_stream** stream) {
    return guarded([&] {
        edgeemo_stream*& out = given(stream, "a place for the stream");
        out = nullptr;
        edgeemo::TrackerSpec tracker;
        double smooth_ms = edgeemo::kSmoothMs;
        if (options != nullptr) {
            const edgeemo_face_options from = edgeemo::abi::known(options, "edgeemo_face_options");
            tracker.least_hits = chosen("least_hits", from.least_hits, 1, 100, tracker.least_hits);
            tracker.most_gap_ms = chosen("most_gap_ms", from.most_gap_ms, 1, 60000, tracker.most_gap_ms);
            smooth_ms = chosen("smooth_ms", from.smooth_ms, -1, 60000, static_cast<std::int32_t>(smooth_ms));
            if (from.smooth_ms == -1) smooth_ms = 0.0;
        }
        out = new edgeemo_stream{given(recognizer, "a recognizer").recognizer.watch(smooth_ms, tracker)};
    });
}

int32_t edgeemo_stream_push(edgeemo_stream* stream, const edgeemo_pcm* chunk, int64_t t_ms) {
    return guarded([&] { voice(stream).push(edgeemo::abi::pcm_of(chunk), t_ms); });
}

int32_t edgeemo_stream_push_image(edgeemo_stream* stream, const edgeemo_image* frame, int64_t t_ms) {
    return guarded([&] { faces(stream).push(edgeemo::abi::image_of(frame), t_ms); });
}

int32_t edgeemo_stream_set_source(edgeemo_stream* stream, const char* name) {
    return guarded([&] {
        std::optional<std::string> source;
        if (name != nullptr) source = name;
        std::visit([&](auto& of) { of.set_source(std::move(source)); }, given(stream, "a stream").of);
    });
}

int32_t edgeemo_stream_flush(edgeemo_stream* stream) {
    return guarded([&] {
        auto* const listener = std::get_if<VoiceListener>(&given(stream, "a stream").of);
        if (listener != nullptr) listener->flush();  // of faces, every frame is answered at once
    });
}

int32_t edgeemo_stream_next(edgeemo_stream* stream, edgeemo_result* result) {
    return guarded([&] {
        edgeemo_result& out = sized(result);
        const bool there =
            std::visit([](auto& of) { return of.next(scratch()); }, given(stream, "a stream").of);
        if (!there) return EDGEEMO_NOTHING;
        fill(scratch(), out);
        return EDGEEMO_OK;
    });
}

int32_t edgeemo_stream_summary(const edgeemo_stream* stream, edgeemo_result* result) {
    return guarded([&] {
        edgeemo_result& out = sized(result);
        voice(stream).summary(scratch());
        fill(scratch(), out);
    });
}

int32_t edgeemo_stream_reset(edgeemo_stream* stream) {
    return guarded([&] { std::visit([](auto& of) { of.reset(); }, given(stream, "a stream").of); });
}

void edgeemo_stream_close(edgeemo_stream* stream) {
    const Uncancelled now;
    delete stream;
}
