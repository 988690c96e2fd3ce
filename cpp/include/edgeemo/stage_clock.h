// Where the time of a prediction goes: the stages of one call, in nanoseconds.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace edgeemo {

// detect finds the faces. frontend turns raw input into a tensor. quantize turns floats into int8. invoke
// runs the model. dequantize turns int8 into floats. post turns the model's outputs into the result.
enum class Stage { detect, frontend, quantize, invoke, dequantize, post };
inline constexpr std::size_t kStages = 6;
inline constexpr std::array<const char*, kStages> kStageNames{"detect", "frontend",   "quantize",
                                                              "invoke", "dequantize", "post"};

struct StageTimes {
    std::array<std::int64_t, kStages> ns{};
    std::int64_t calls = 0;
};

// Adds the stages of one call to `times` while the clock lives. At any moment one stage is running; the
// first is the frontend. Code that does work says which stage begins: StageClock::enter. Without a clock on
// this thread that costs one comparison.
class StageClock {
  public:
    explicit StageClock(StageTimes* times);  // null: nothing is measured
    ~StageClock();
    StageClock(const StageClock&) = delete;
    StageClock& operator=(const StageClock&) = delete;

    static void enter(Stage stage) {
        if (current() != nullptr) current()->change(stage);
    }

    // While one lives, one stage runs, whatever enter() says: what a detector does inside is its own affair.
    class Whole {
      public:
        explicit Whole(Stage stage);
        ~Whole();
        Whole(const Whole&) = delete;
        Whole& operator=(const Whole&) = delete;

      private:
        StageClock* clock_;
    };

  private:
    static StageClock*& current();  // of this thread
    void change(Stage stage);

    StageTimes* times_;
    StageClock* outer_ = nullptr;
    Stage stage_ = Stage::frontend;
    std::chrono::steady_clock::time_point since_;
};

}  // namespace edgeemo
