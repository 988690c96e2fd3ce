// What the native way costs beyond its two parts, in one run: bench_engine LIBRARY BUNDLE... (text first).
//
// Prints JSON: medians in microseconds of the frontend alone, of the bare model on filled buffers, and of
// predict; the throughput of two threads with an engine each over that of one; resident memory with all
// bundles open.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "edgeemo/recognizer.h"

namespace {

using Clock = std::chrono::steady_clock;
using namespace edgeemo;

constexpr const char* kText =
    "I had been looking forward to this for weeks, and then it rained all day; still, we laughed so much "
    "that "
    "nobody minded in the end, did they?";

template <class Work>
double once(const Work& work) {
    const auto begin = Clock::now();
    work();
    return std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
}

double median(std::vector<double> x) {
    std::nth_element(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(x.size() / 2), x.end());
    return x[x.size() / 2];
}

double predictions_a_second(const std::vector<const Recognizer*>& recognizers) {
    constexpr int kTimes = 4000;
    const double us = once([&] {
        std::vector<std::thread> threads;
        for (const Recognizer* const recognizer : recognizers) {
            threads.emplace_back([recognizer] {
                Result result;
                for (int i = 0; i < kTimes; ++i) recognizer->predict_text(kText, result);
            });
        }
        for (std::thread& thread : threads) thread.join();
    });
    return static_cast<double>(recognizers.size()) * kTimes / us * 1e6;
}

double resident_mb() {
    std::ifstream status("/proc/self/status");
    std::string word;
    double kb = 0.0;
    while (status >> word)
        if (word == "VmRSS:") status >> kb;
    return kb / 1024.0;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) return 2;
    EngineOptions options;
    options.library = argv[1];
    const auto begin = Clock::now();
    std::vector<std::unique_ptr<Recognizer>> all;
    all.push_back(std::make_unique<Recognizer>(Recognizer::open(argv[2], options)));
    Result result;
    all[0]->predict_text(kText, result);
    const double first_ms = std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
    for (int i = 3; i < argc; ++i)
        all.push_back(std::make_unique<Recognizer>(Recognizer::open(argv[i], options)));
    const double memory = resident_mb();

    const Bundle bundle = Bundle::open(argv[2]);
    Engine engine(bundle.model, options);
    std::string_view vocabulary = bundle.assets.at("vocab.txt");
    std::vector<std::string> pieces;
    while (!vocabulary.empty()) {
        const std::size_t end = std::min(vocabulary.find('\n'), vocabulary.size());
        pieces.emplace_back(vocabulary.substr(0, end));
        vocabulary.remove_prefix(std::min(end + 1, vocabulary.size()));
    }
    const TextFrontend frontend(std::get<TextSpec>(bundle.card.spec), pieces);
    std::vector<double> text_us, run_us, predict_us;
    for (int i = 0; i < 20000; ++i) {
        text_us.push_back(once([&] { frontend.encode(kText, static_cast<std::int32_t*>(engine.input(0))); }));
        run_us.push_back(once([&] { engine.run(); }));
        predict_us.push_back(once([&] { all[0]->predict_text(kText, result); }));
    }

    const Recognizer one = Recognizer::open(argv[2], options), two = Recognizer::open(argv[2], options);
    std::vector<double> ratios;
    for (int i = 0; i < 10; ++i)
        ratios.push_back(predictions_a_second({&one, &two}) / predictions_a_second({&one}));
    std::printf(
        "{\"frontend_us\": %.2f, \"run_us\": %.2f, \"predict_us\": %.2f, \"two_threads\": %.3f, "
        "\"resident_mb\": %.1f, \"first_answer_ms\": %.1f}\n",
        median(text_us), median(run_us), median(predict_us), median(ratios), memory, first_ms);
    return 0;
}
