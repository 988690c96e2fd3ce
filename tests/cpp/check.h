// Assertions that also work with NDEBUG and say where they failed.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

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
