// An object with state that threads may share by mistake: they wait for each other.
#pragma once

#include <pybind11/pybind11.h>

#include <mutex>
#include <utility>

template <class Of>
class Locked {
  public:
    template <class... Args>
    explicit Locked(Args&&... args) : of_(std::forward<Args>(args)...) {}

    // Returns work(object), called without the GIL.
    template <class Work>
    auto with(const Work& work) {
        const pybind11::gil_scoped_release unlocked;
        const std::lock_guard<std::mutex> lock(mutex_);
        return work(of_);
    }

  private:
    Of of_;
    std::mutex mutex_;
};
