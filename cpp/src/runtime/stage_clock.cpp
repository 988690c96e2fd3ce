#include "edgeemo/stage_clock.h"

namespace edgeemo {

StageClock*& StageClock::current() {
    thread_local StageClock* clock = nullptr;
    return clock;
}

StageClock::StageClock(StageTimes* times) : times_(times) {
    if (times_ == nullptr) return;
    outer_ = current();
    current() = this;
    since_ = std::chrono::steady_clock::now();
}

StageClock::~StageClock() {
    if (times_ == nullptr) return;
    change(Stage::post);
    ++times_->calls;
    current() = outer_;
}

void StageClock::change(Stage stage) {
    const auto now = std::chrono::steady_clock::now();
    times_->ns[static_cast<std::size_t>(stage_)] +=
        std::chrono::duration_cast<std::chrono::nanoseconds>(now - since_).count();
    since_ = now;
    stage_ = stage;
}

StageClock::Whole::Whole(Stage stage) : clock_(current()) {
    enter(stage);
    current() = nullptr;
}

StageClock::Whole::~Whole() {
    current() = clock_;
    enter(Stage::frontend);
}

}  // namespace edgeemo
