// The process in which something was opened. A child that fork() made has the memory of its parent, but not
// its threads. In the child a lock may be held and LiteRT's workers missing for good, so a call would wait
// forever.
#pragma once

#include <pthread.h>

#include <atomic>

#include "edgeemo/errors.h"

namespace edgeemo {

class Home {
  public:
    Home() : forks_(forks().load(std::memory_order_relaxed)) {}

    bool left() const { return forks_ != forks().load(std::memory_order_relaxed); }

    // Throws InferenceError in another process.
    void check() const {
        if (!left()) return;
        throw InferenceError(
            "The model was opened before a fork and is used in the child, where its threads are missing. "
            "Open the model in the process that uses it; with Python's multiprocessing choose the start "
            "method 'spawn'.");
    }

  private:
    // How often this process is a child of one in which something was opened. Counted by a handler, since
    // asking the system who we are takes longer than it may.
    static std::atomic<unsigned>& forks() {
        static std::atomic<unsigned> count{0};
        static const int registered = pthread_atfork(nullptr, nullptr, [] { ++count; });
        static_cast<void>(registered);
        return count;
    }

    unsigned forks_;
};

}  // namespace edgeemo
