// A model, ready to run: LiteRT through its C API, opened at run time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "edgeemo/model_runner.h"

namespace edgeemo {

inline constexpr std::int32_t kMostThreads = 64;

struct EngineOptions {
    // Path of LiteRT's shared library. Empty: beside this library, in an ai_edge_litert folder beside it or
    // above it (so in a Python environment), else wherever the system's loader finds it.
    std::string library;
    std::int32_t threads = 1;  // for the model, 1 to kMostThreads
    // "cpu" (XNNPACK); or "gpu", LiteRT's accelerator, which lies beside its library. An Engine takes either
    // into this very process, and "auto" for "cpu"; open_engine (delegates.h) tries a GPU first.
    std::string delegate = "auto";
    std::string delegate_options;  // lines "key = value", for the GPU as LiteRT reads them: precision is 2
                                   // (float32) unless given
    // Called some times a second while a probe of a GPU runs; what it throws ends the probe and goes on.
    std::function<void()> waiting = {};
};

// A model's bytes and whatever keeps them where they are; LiteRT reads them as long as the engine lives.
struct ModelBytes {
    const std::uint8_t* data = nullptr;  // aligned to 16 bytes
    std::size_t size = 0;
    std::shared_ptr<const void> keep = nullptr;  // may be empty if the caller sees to it
};

// One thread at a time; engines are independent of each other, so several run in parallel.
//
// Size and structure of the flatbuffer are checked before LiteRT sees a byte. A model has one
// signature; its tensors are float32, int32 or int8, of fixed shape, and not variable. Once loaded, it is run
// twice on zeros: both must give the same finite numbers.
class Engine final : public ModelRunner {
  public:
    // Throws InputError (threads), BundleCorruptError (the model is not whole), RuntimeUnavailableError (no
    // usable LiteRT) or DelegateError (the delegate is unknown or not usable here). Throws InferenceError if
    // LiteRT refuses the model or gives answers that cannot be right.
    explicit Engine(ModelBytes model, const EngineOptions& options = {});
    ~Engine() override;
    Engine(Engine&&) noexcept;
    Engine& operator=(Engine&&) noexcept;

    const std::vector<TensorInfo>& inputs() const override;
    const std::vector<TensorInfo>& outputs() const override;
    void* input(std::size_t i) override;  // LiteRT's own memory
    const void* output(std::size_t i) const override;
    const std::string& library() const;  // path of the LiteRT in use

  private:
    void invoke() override;

    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace edgeemo
