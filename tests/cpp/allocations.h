// Counts how often this program, and every library it loads, asks for heap memory. Include it in one file.
#pragma once

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <new>

#include "check.h"

inline std::atomic<long> allocations{0};
inline std::atomic<bool> counting{false};

#if defined(__GLIBC__) && !defined(EDGEEMO_SANITIZED)
inline constexpr bool kCountsMalloc = true;

// A program may replace these functions of glibc. All allocations call one of them: new of all kinds, and
// exceptions, too.
extern "C" {
void* __libc_malloc(std::size_t n);
void* __libc_calloc(std::size_t n, std::size_t size);
void* __libc_realloc(void* memory, std::size_t n);
void* __libc_memalign(std::size_t alignment, std::size_t n);

void* malloc(std::size_t n) noexcept {
    if (counting) ++allocations;
    return __libc_malloc(n);
}
void* calloc(std::size_t n, std::size_t size) noexcept {
    if (counting) ++allocations;
    return __libc_calloc(n, size);
}
void* realloc(void* memory, std::size_t n) noexcept {
    if (counting) ++allocations;
    return __libc_realloc(memory, n);
}
void* memalign(std::size_t alignment, std::size_t n) noexcept {
    if (counting) ++allocations;
    return __libc_memalign(alignment, n);
}
void* aligned_alloc(std::size_t alignment, std::size_t n) noexcept { return memalign(alignment, n); }
int posix_memalign(void** memory, std::size_t alignment, std::size_t n) noexcept {
    *memory = memalign(alignment, n);
    return *memory == nullptr ? ENOMEM : 0;
}
}

#else
inline constexpr bool kCountsMalloc = false;

// A sanitizer has its own malloc: only what goes through new is counted.
void* operator new(std::size_t n) {
    if (counting) ++allocations;
    if (void* const memory = std::malloc(n == 0 ? 1 : n)) return memory;
    throw std::bad_alloc();
}
void* operator new[](std::size_t n) { return operator new(n); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

#endif
