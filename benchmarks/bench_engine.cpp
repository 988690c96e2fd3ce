// Measures the cost of a native prediction beyond its two parts, in one run: bench_engine LIBRARY TEXT FACE
// VOICE. The file face-detector.tflite must lie beside FACE.
//
// Prints JSON. Texts, faces and a span of voice have medians in microseconds: of the frontend alone,
// of the bare model on filled buffers, and of predict. JSON also has the throughput of two threads with an
// engine each over that of one thread (median of ten). The last numbers are the resident memory with all
// bundles and the detector open, and the time from the start to the first answer.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <string>
#include <thread>
#include <vector>

#include "bundle/model_parts.h"
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

// Times a prediction and its parts, in turns.
struct Costs {
    double frontend_us, run_us, predict_us;

    template <class Frontend, class Run, class Predict>
    Costs(int times, const Frontend& frontend, const Run& run, const Predict& predict) {
        std::vector<double> f, r, p;
        for (int i = 0; i < times; ++i) {
            f.push_back(once(frontend));
            r.push_back(once(run));
            p.push_back(once(predict));
        }
        frontend_us = median(f);
        run_us = median(r);
        predict_us = median(p);
    }
};

// Times one thread with the first recognizer and two threads with a recognizer each, in turns.
template <class Predict>
double two_over_one(int times, const Recognizer& one, const Recognizer& two, const Predict& predict) {
    const auto a_second = [&](std::initializer_list<const Recognizer*> recognizers) {
        const double us = once([&] {
            std::vector<std::thread> threads;
            for (const Recognizer* const recognizer : recognizers) {
                threads.emplace_back([&, recognizer] {
                    Result result;
                    for (int i = 0; i < times; ++i) predict(*recognizer, result);
                });
            }
            for (std::thread& thread : threads) thread.join();
        });
        return static_cast<double>(recognizers.size()) * times / us;
    };
    std::vector<double> ratios;
    for (int i = 0; i < 10; ++i) {
        const double alone = a_second({&one});
        ratios.push_back(a_second({&one, &two}) / alone);
    }
    return median(ratios);
}

double resident_mb() {
    std::ifstream status("/proc/self/status");
    std::string word;
    double kb = 0.0;
    while (status >> word)
        if (word == "VmRSS:") status >> kb;
    return kb / 1024.0;
}

// A frame of a camera, in which the place of a face is known.
struct Frame {
    std::vector<std::uint8_t> bytes = std::vector<std::uint8_t>(1280 * 720 * 3);
    Image image{bytes.data(), 1280, 720, Color::rgb, 1280 * 3, 3, 1};
    Box box{500.0, 200.0, 800.0, 500.0};
    Frame() {
        for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>((i * i) >> 12);
    }
};

Costs costs_of_text(const std::string& path, const EngineOptions& options, const Recognizer& recognizer) {
    const Bundle bundle = Bundle::open(path);
    Engine engine(bundle.model, options);
    const TextFrontend frontend(std::get<TextSpec>(bundle.card.spec), pieces_of(bundle.assets));
    Result result;
    return {20000, [&] { frontend.encode(kText, static_cast<std::int32_t*>(engine.input(0))); },
            [&] { engine.run(); }, [&] { recognizer.predict_text(kText, result); }};
}

Costs costs_of_face(const std::string& path, const EngineOptions& options, const Recognizer& recognizer,
                    const Frame& frame) {
    const Bundle bundle = Bundle::open(path);
    Engine engine(bundle.model, options);
    const FaceFrontend frontend(std::get<FaceSpec>(bundle.card.spec));
    const TensorInfo input = engine.inputs()[0];
    Result result;
    return {2000,
            [&] {
                frontend.compute(frame.image, frontend.align(frame.box), input.scale, input.zero_point,
                                 static_cast<std::int8_t*>(engine.input(0)));
            },
            [&] { engine.run(); }, [&] { recognizer.predict_image(frame.image, &frame.box, result); }};
}

// One span of a voice, as the model reads it: whole clips of that length.
struct Speech {
    std::vector<std::int16_t> samples;
    Pcm pcm;
    explicit Speech(const Recognizer& recognizer) {
        const auto& spec = std::get<VoiceSpec>(recognizer.card().spec);
        rate_hz = spec.rate_hz;
        samples.resize(static_cast<std::size_t>((spec.span_frames - 1) * spec.hop + spec.window));
        for (std::size_t i = 0; i < samples.size(); ++i)
            samples[i] = static_cast<std::int16_t>(static_cast<std::int32_t>(i * i * 7 % 20000) - 10000);
        pcm = {samples.data(), nullptr, samples.size(), 1};
    }
    std::int32_t rate_hz;
};

Costs costs_of_voice(const std::string& path, const EngineOptions& options, const Recognizer& recognizer,
                     const Speech& speech) {
    const Bundle bundle = Bundle::open(path);
    Engine engine(bundle.model, options);
    const VoiceFrontend frontend(std::get<VoiceSpec>(bundle.card.spec));
    VoiceStream stream = frontend.stream(speech.rate_hz, 1);
    Result result;
    int spans = 0;
    const auto write = [&](const Span& span) {
        engine.write(0, span.features);
        ++spans;
    };
    const Costs costs{1000,
                      [&] {
                          stream.reset();
                          stream.push(speech.pcm, write);
                          stream.flush(write);
                      },
                      [&] { engine.run(); },
                      [&] { recognizer.predict_pcm(speech.pcm, speech.rate_hz, result); }};
    if (spans != 1000) std::abort();  // else the parts are not those of one run
    return costs;
}

void print(const char* name, const Costs& costs, double two_threads) {
    std::printf(
        "\"%s\": {\"frontend_us\": %.2f, \"run_us\": %.2f, \"predict_us\": %.2f, \"two_threads\": %.3f}, ",
        name, costs.frontend_us, costs.run_us, costs.predict_us, two_threads);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) return 2;
    EngineOptions options;
    options.library = argv[1];
    const auto open = [&](int i) { return Recognizer::open(argv[i], options); };
    const auto begin = Clock::now();
    const Recognizer text = open(2);
    Result result;
    text.predict_text(kText, result);
    const double first_ms = std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
    const Recognizer face = open(3), voice = open(4);
    const Frame frame;
    const std::vector<std::int16_t> silence(16000 * 4);
    face.predict_image(frame.image, &frame.box, result);
    face.predict_front(frame.image, result);  // opens the detector
    voice.predict_pcm({silence.data(), nullptr, silence.size(), 1}, 16000, result);
    const double memory = resident_mb() - static_cast<double>(frame.bytes.size()) / 1048576.0;

    const Recognizer text_too = open(2), face_too = open(3), voice_too = open(4);
    const Speech speech(voice);
    std::printf("{");
    print("text", costs_of_text(argv[2], options, text),
          two_over_one(4000, text, text_too,
                       [](const Recognizer& r, Result& out) { r.predict_text(kText, out); }));
    print("face", costs_of_face(argv[3], options, face, frame),
          two_over_one(300, face, face_too, [&](const Recognizer& r, Result& out) {
              r.predict_image(frame.image, &frame.box, out);
          }));
    print("voice", costs_of_voice(argv[4], options, voice, speech),
          two_over_one(200, voice, voice_too, [&](const Recognizer& r, Result& out) {
              r.predict_pcm(speech.pcm, speech.rate_hz, out);
          }));
    std::printf("\"resident_mb\": %.1f, \"first_answer_ms\": %.1f}\n", memory, first_ms);
    return 0;
}
