// The functions of the C ABI share this: they return only codes, and they read a struct only as far as the
// caller knows it.
#pragma once

#include <pthread.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <variant>

#include "edgeemo/edgeemo.h"
#include "edgeemo/errors.h"
#include "edgeemo/recognizer.h"

struct edgeemo_recognizer {
    edgeemo::Recognizer recognizer;
};

struct edgeemo_stream {
    std::variant<edgeemo::VoiceListener, edgeemo::FaceWatcher> of;
};

namespace edgeemo::abi {

// The thread's own, used again and again, so that a prediction needs no more memory.
Result& scratch();
std::vector<Face>& found();

std::string& last_error();                // of this thread
std::int32_t code_of_current() noexcept;  // of the exception being handled; its sentence goes to last_error()

// While one lives, the host's pthread_cancel waits: it would unwind our frames with an exception that must
// not be caught, and end the process.
class Uncancelled {
  public:
    Uncancelled() noexcept { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before_); }
    ~Uncancelled() { pthread_setcancelstate(before_, nullptr); }
    Uncancelled(const Uncancelled&) = delete;
    Uncancelled& operator=(const Uncancelled&) = delete;

  private:
    int before_ = PTHREAD_CANCEL_ENABLE;
};

// Nothing leaves `work` but a code: its own, or EDGEEMO_OK where it returns nothing.
template <class Work>
std::int32_t guarded(const Work& work) noexcept {
    const Uncancelled now;
    try {
        if constexpr (std::is_void_v<decltype(work())>)
            work();
        else
            return work();
        return EDGEEMO_OK;
    } catch (...) {
        return code_of_current();
    }
}

template <class T>
T& given(T* pointer, const char* what) {
    if (pointer == nullptr) throw InputError(std::string("expected ") + what + ", got NULL");
    return *pointer;
}

// Sizes of structs as they first were: a caller's is never smaller. Each ends with the last field it had
// then, so that a field that joins changes nothing here.
template <class T>
inline constexpr std::size_t kFirst = 0;
#define EDGEEMO_FIRST(type, last) \
    template <>                   \
    inline constexpr std::size_t kFirst<type> = offsetof(type, last) + sizeof(type::last)
EDGEEMO_FIRST(edgeemo_options, delegate);
EDGEEMO_FIRST(edgeemo_result, end_ms);
EDGEEMO_FIRST(edgeemo_pcm, samples);
EDGEEMO_FIRST(edgeemo_image, row_stride);
EDGEEMO_FIRST(edgeemo_verdict, reason);
EDGEEMO_FIRST(edgeemo_face_options, smooth_ms);
EDGEEMO_FIRST(edgeemo_stage_times, post_ns);
EDGEEMO_FIRST(edgeemo_voice_options, reserved);
#undef EDGEEMO_FIRST
static_assert(sizeof(void*) != 8 ||
              (kFirst<edgeemo_options> == 24 && kFirst<edgeemo_result> == 88 && kFirst<edgeemo_pcm> == 32 &&
               kFirst<edgeemo_image> == 32 && kFirst<edgeemo_verdict> == 528 &&
               kFirst<edgeemo_face_options> == 16 && kFirst<edgeemo_stage_times> == 64 &&
               kFirst<edgeemo_voice_options> == 40));

// The size of a result with faces, as in version 2.
inline constexpr std::size_t kWithFace =
    offsetof(edgeemo_result, face_score) + sizeof(edgeemo_result::face_score);
static_assert(sizeof(void*) != 8 || kWithFace == 168);

// The size of a result with its model, as in version 3.
inline constexpr std::size_t kWithModel =
    offsetof(edgeemo_result, reserved) + sizeof(edgeemo_result::reserved);
static_assert(sizeof(void*) != 8 || kWithModel == 200);

// The size of a result with its kind, as in version 4.
inline constexpr std::size_t kWithKind = offsetof(edgeemo_result, unused) + sizeof(edgeemo_result::unused);
static_assert(sizeof(void*) != 8 || kWithKind == 208);

// The size of a result with bursts, as in version 5.
inline constexpr std::size_t kWithBursts =
    offsetof(edgeemo_result, burst_arousal) + sizeof(edgeemo_result::burst_arousal);
static_assert(sizeof(void*) != 8 || kWithBursts == 272);

template <class T>
void check_size(const T& value, const char* what) {
    static_assert(kFirst<T> != 0, "say how large it first was");
    if (value.struct_size < kFirst<T>)
        throw InputError(std::string(what) + ": struct_size is too small; set it to its sizeof");
}

// The part of a struct that the caller knows; the rest is zero, the default.
template <class T>
T known(const T* pointer, const char* what) {
    const T& value = given(pointer, what);
    check_size(value, what);
    T copy{};
    std::memcpy(&copy, &value, std::min<std::size_t>(value.struct_size, sizeof(T)));
    return copy;
}

edgeemo_result& sized(edgeemo_result* result);

// As far as the caller knows results.
void fill(const Result& from, edgeemo_result& to);

Pcm pcm_of(const edgeemo_pcm* pointer);
Image image_of(const edgeemo_image* pointer);

}  // namespace edgeemo::abi
