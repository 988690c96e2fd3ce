// A model that several users share: recognizers, streams, a plain runtime. One of them runs it at a time.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/home.h"
#include "edgeemo/errors.h"
#include "edgeemo/model_runner.h"

namespace edgeemo {

class LoadedModel {
  public:
    explicit LoadedModel(std::unique_ptr<ModelRunner> runner, std::string delegate = {},
                         std::string reason = {}, std::string library = {})
        : inputs(runner->inputs()),
          outputs(runner->outputs()),
          delegate(std::move(delegate)),
          reason(std::move(reason)),
          library(std::move(library)),
          runner_(std::move(runner)) {}
    ~LoadedModel() {
        if (home_.left()) static_cast<void>(runner_.release());  // the parent process owns what it opened
    }
    LoadedModel(const LoadedModel&) = delete;
    LoadedModel& operator=(const LoadedModel&) = delete;

    // Calls work(runner) while nobody else runs the model. Throws InferenceError for a model that was
    // closed, and in a child that fork() made.
    template <class Work>
    auto with(const Work& work) {
        home_.check();  // before the lock: a thread of the parent may have held it
        const std::lock_guard<std::mutex> lock(mutex_);
        if (runner_ == nullptr) throw InferenceError("The model was closed; open it again.");
        return work(*runner_);
    }

    // Throws InferenceError like with().
    void check_usable() {
        with([](ModelRunner&) {});
    }

    // Releases the model. In a child of fork() the model stays as it is: it belongs to the parent.
    void close() {
        if (home_.left()) return;
        const std::lock_guard<std::mutex> lock(mutex_);
        runner_.reset();
    }

    bool closed() const { return runner_ == nullptr; }

    const std::vector<TensorInfo> inputs, outputs;  // sorted by name
    const std::string delegate, reason, library;    // what runs, why, and the file of LiteRT

  private:
    Home home_;
    std::mutex mutex_;
    std::unique_ptr<ModelRunner> runner_;
};

}  // namespace edgeemo
