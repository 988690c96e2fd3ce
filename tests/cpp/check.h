// Assertions that also work with NDEBUG and say where they failed.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

// GCC's names for sanitizers, and clang's.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define EDGEEMO_SANITIZED
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define EDGEEMO_SANITIZED
#endif

#ifdef EDGEEMO_SANITIZED
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

#define CHECK(condition)                                                         \
    do {                                                                         \
        if (!(condition)) {                                                      \
            std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            std::abort();                                                        \
        }                                                                        \
    } while (false)

// The message of the exception of type E that `action` throws; aborts if it throws none.
template <class E, class Action>
std::string message_of(Action action) {
    try {
        action();
    } catch (const E& e) {
        return e.what();
    }
    std::fprintf(stderr, "expected an exception, got none\n");
    std::abort();
}
