#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <thread>
#include <vector>

#include "allocations.h"
#include "base/exact_math.h"
#include "check.h"
#include "edgeemo/errors.h"
#include "edgeemo/voice.h"
#include "voice/mel.h"
#include "voice/resample.h"
#include "voice/voice_fields.h"
#include "voice_sound.h"

namespace {

using edgeemo::InputError;
using edgeemo::Pcm;
using edgeemo::Span;
using edgeemo::SpecError;
using edgeemo::VoiceFrontend;
using edgeemo::VoiceSpec;

using Floats = std::vector<float>;

Pcm pcm_of(const std::vector<std::int16_t>& x, std::int32_t channels = 1) {
    return {x.data(), nullptr, x.size() / static_cast<std::size_t>(channels), channels};
}

Pcm pcm_of(const Floats& x) { return {nullptr, x.data(), x.size(), 1}; }

struct Spans {
    explicit Spans(const VoiceSpec& spec)
        : size(static_cast<std::size_t>(spec.span_frames) * static_cast<std::size_t>(spec.mels)) {}

    void operator()(const Span& span) {
        features.insert(features.end(), span.features, span.features + size);
        starts.push_back(span.start_frame);
        n_frames.push_back(span.n_frames);
    }
    bool operator==(const Spans& other) const {
        return same_bits(features, other.features) && starts == other.starts && n_frames == other.n_frames;
    }

    std::size_t size;
    Floats features;
    std::vector<std::int64_t> starts;
    std::vector<std::int32_t> n_frames;
};

Spans compute(const VoiceFrontend& frontend, const Pcm& pcm, std::int32_t rate_hz) {
    Spans spans(frontend.spec());
    frontend.compute(pcm, rate_hz, std::ref(spans));
    return spans;
}

Floats frames(const VoiceFrontend& frontend, const Pcm& pcm, std::int32_t rate_hz) {
    const auto n = static_cast<std::size_t>(frontend.count_frames(pcm.samples, rate_hz));
    Floats rows(n * static_cast<std::size_t>(frontend.spec().mels));
    frontend.frames(pcm, rate_hz, rows.data());
    return rows;
}

void the_numbers_are_those_of_every_machine() {
    int wrong = 0;
    for (const Golden& golden : goldens()) {
        const VoiceFrontend frontend(golden.spec);
        const auto sound = synthetic(static_cast<std::size_t>(golden.rate_hz) / 2, 1);
        const Spans spans = compute(frontend, pcm_of(sound), golden.rate_hz);
        const std::uint64_t hash = hash_of(spans.features);
        if (hash != golden.hash) {
            std::fprintf(stderr, "%s at %d Hz: 0x%016llx\n", golden.name, static_cast<int>(golden.rate_hz),
                         static_cast<unsigned long long>(hash));
        }
        wrong += hash != golden.hash ? 1 : 0;
    }
    CHECK(wrong == 0);
}

void every_kernel_gives_the_same_bits() {
    const auto kernels = edgeemo::mel_kernels();
    for (const std::int32_t fft : {32, 64, 128, 512, 1024, 4096}) {
        VoiceSpec spec;
        spec.fft = fft;
        spec.window = fft - fft / 5;
        spec.hop = fft / 3;
        spec.rate_hz = 16000;
        const edgeemo::MelTables tables(spec);
        edgeemo::MelScratch scratch(tables);
        const auto sound = floats_of(synthetic(tables.window + 12 * tables.hop, 2));
        std::vector<Floats> all;
        for (const edgeemo::MelKernel* kernel : kernels) {
            Floats rows(13 * tables.mels + 3);
            kernel->power(tables, sound.data(), 13, scratch, rows.data());
            kernel->log(rows.data(), rows.size(), 1e-10F);
            rows.push_back(
                kernel->dot(sound.data(), rows.data(), std::min(tables.window, 13 * tables.mels) / 8 * 8));
            all.push_back(rows);
        }
        for (const Floats& rows : all) CHECK(same_bits(rows, all.front()));
    }
}

void any_chunks_give_the_whole() {
    VoiceSpec spec;
    spec.span_frames = 20;
    spec.hop_frames = 7;
    for (const auto compression : {VoiceSpec::Compression::log, VoiceSpec::Compression::pcen}) {
        spec.compression = compression;
        const VoiceFrontend frontend(spec);
        for (const std::int32_t rate_hz : {8000, 11025, 16000, 44101, 48000, 192000}) {
            const auto sound = synthetic(static_cast<std::size_t>(rate_hz) / 2 + 13, 3);
            const Spans whole = compute(frontend, pcm_of(sound), rate_hz);
            CHECK(whole.starts.size() > 3);
            edgeemo::VoiceStream stream = frontend.stream(rate_hz);
            for (const std::size_t step : {1, 160, 997, 5000}) {
                Spans spans(spec);
                for (std::size_t i = 0; i < sound.size(); i += step) {
                    const std::size_t n = std::min(step, sound.size() - i);
                    stream.push({sound.data() + i, nullptr, n, 1}, std::ref(spans));
                }
                stream.flush(std::ref(spans));
                CHECK(spans == whole);
                stream.reset();
            }
        }
    }
}

void a_steady_stream_allocates_nothing() {
    const VoiceFrontend frontend(VoiceSpec{});
    const auto sound = synthetic(96000, 4);
    for (const std::int32_t rate_hz : {16000, 44100, 44101}) {
        edgeemo::VoiceStream stream = frontend.stream(rate_hz, 2);
        double sum = 0.0;
        int spans = 0;
        const edgeemo::SpanSink sink = [&](const Span& span) {
            sum += static_cast<double>(span.features[0]);
            ++spans;
        };
        counting = true;
        for (int turn = 0; turn < 10; ++turn) {
            for (std::size_t i = 0; i + 960 <= sound.size(); i += 960) {
                stream.push({sound.data() + i, nullptr, 480, 2}, sink);
            }
        }
        counting = false;
        CHECK(allocations == 0 && spans > 3 && std::isfinite(sum));
    }
}

// It may throw anything. The rest of that call is lost; what later calls say is what they would have said.
void a_sink_that_throws_leaves_the_stream_in_time() {
    VoiceSpec spec;
    spec.span_frames = 20;
    spec.hop_frames = 7;
    const VoiceFrontend frontend(spec);
    for (const std::int32_t rate_hz : {16000, 44100}) {
        const auto sound = synthetic(static_cast<std::size_t>(rate_hz), 3);
        edgeemo::VoiceStream stream = frontend.stream(rate_hz), undisturbed = frontend.stream(rate_hz);
        int thrown = 0;
        for (int turn = 0; turn < 60; ++turn) {
            Spans spans(spec), expected(spec);
            undisturbed.push(pcm_of(sound), std::ref(expected));
            CHECK(expected.starts.size() > 10);
            try {
                stream.push(pcm_of(sound), [&](const Span& span) {
                    if (turn % 4 != 0 && spans.starts.size() == 3) throw turn;
                    spans(span);
                });
            } catch (const int which) {
                CHECK(which == turn);
                ++thrown;
                expected.starts.resize(3);
                expected.n_frames.resize(3);
                expected.features.resize(3 * expected.size);
            }
            CHECK(spans == expected);
            CHECK(stream.n_frames() == undisturbed.n_frames());
        }
        CHECK(thrown == 45);
    }
}

void spans_cover_the_clip() {
    VoiceSpec spec;
    spec.span_frames = 10;
    spec.hop_frames = 4;
    const VoiceFrontend frontend(spec);
    const auto starts = [&](std::size_t n_frames) {
        const auto sound = synthetic(n_frames == 0 ? 399 : 400 + 160 * (n_frames - 1), 5);
        const Spans spans = compute(frontend, pcm_of(sound), 16000);
        return spans.starts;
    };
    CHECK(starts(0).empty());
    CHECK((starts(1) == std::vector<std::int64_t>{0}));
    CHECK((starts(10) == std::vector<std::int64_t>{0}));
    CHECK((starts(11) == std::vector<std::int64_t>{0, 1}));
    CHECK((starts(14) == std::vector<std::int64_t>{0, 4}));
    CHECK((starts(17) == std::vector<std::int64_t>{0, 4, 7}));
    const auto sound = synthetic(400 + 160 * 5, 5);
    const Spans short_one = compute(frontend, pcm_of(sound), 16000);
    CHECK((short_one.n_frames == std::vector<std::int32_t>{6}));
    for (std::size_t i = 6 * 64; i < short_one.features.size(); ++i) CHECK(short_one.features[i] == 0.0F);
}

void bad_sound_is_named_and_changes_nothing() {
    const VoiceFrontend frontend(VoiceSpec{});
    edgeemo::VoiceStream stream = frontend.stream(16000);
    const auto ignore = [](const Span&) {};
    Floats sound(1000, 0.1F);
    stream.push(pcm_of(sound), ignore);
    const std::int64_t before = stream.n_frames();
    const auto error = [&](float value) {
        sound[700] = value;
        return message_of<InputError>([&] { stream.push(pcm_of(sound), ignore); });
    };
    CHECK(error(std::numeric_limits<float>::quiet_NaN()).find("sample 700 is NaN") == 0);
    CHECK(error(std::numeric_limits<float>::infinity()).find("sample 700 is infinite") == 0);
    CHECK(error(-8.01F).find("int16 passed as float: divide by 32768") != std::string::npos);
    sound[700] = -8.0F;
    CHECK(stream.n_frames() == before);
    stream.push(pcm_of(sound), ignore);
    const auto two = synthetic(1000, 6);
    CHECK(message_of<InputError>([&] { stream.push(pcm_of(two, 2), ignore); }).find("1 channels") !=
          std::string::npos);
    stream.flush(ignore);
    CHECK(message_of<InputError>([&] { stream.push(pcm_of(sound), ignore); }).find("reset()") !=
          std::string::npos);
    CHECK(message_of<InputError>([&] { frontend.stream(7999); }).find("[8000, 192000]") != std::string::npos);
    CHECK(message_of<InputError>([&] { frontend.stream(8000, 33); }).find("[1, 32]") != std::string::npos);
}

void a_bad_specification_says_what_is_wrong() {
    VoiceSpec spec;
    spec.fft = 500;
    CHECK(message_of<SpecError>([&] { VoiceFrontend f(spec); }) == "fft must be a power of two, got 500");
    spec.fft = 256;
    CHECK(message_of<SpecError>([&] { spec.validate(); }) == "fft must be in [400, 4096], got 256");
    VoiceSpec::MelScale scale = VoiceSpec::MelScale::htk;
    CHECK(message_of<SpecError>([&] { set_by_name("mel_scale", "bark", scale); }) ==
          "mel_scale must be 'htk', 'slaney' or 'kaldi', got 'bark'");
}

void every_filter_fits_into_256_kilobytes() {
    for (const std::int32_t to_hz : {8000, 16000, 22050, 44100, 48000}) {
        for (const std::int32_t from_hz :
             {8000, 8001, 11025, 16000, 22050, 32000, 44100, 44101, 48000, 96000, 191999, 192000}) {
            const edgeemo::ResampleTable table(from_hz, to_hz);
            CHECK(table.rows.size() * sizeof(float) <= 256 * 1024 && table.width % 8 == 0);
        }
    }
    CHECK(edgeemo::resampled(441, 44100, 16000) == 160 && edgeemo::resampled(442, 44100, 16000) == 161);
}

void threads_share_a_frontend() {
    const VoiceFrontend frontend(VoiceSpec{});
    const auto sound = synthetic(20000, 7);
    std::vector<Floats> expected;
    for (const std::int32_t rate_hz : {8000, 22050, 44100, 44101, 48000}) {
        expected.push_back(frames(VoiceFrontend(VoiceSpec{}), pcm_of(sound), rate_hz));
    }
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 3; ++i) {
                std::size_t at = 0;
                for (const std::int32_t rate_hz : {8000, 22050, 44100, 44101, 48000}) {
                    CHECK(same_bits(frames(frontend, pcm_of(sound), rate_hz), expected[at++]));
                }
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
}

// Several numbers at once have the bits that each has alone, on both sides of where the series change.
void several_numbers_are_those_of_one_by_one() {
    using edgeemo::exact::Several;
    const auto same = [](void (*several)(Several&), double (*alone)(double), double from, double step) {
        int wrong = 0;
        for (int i = 0; i < 4000; i += 8) {
            Several x{};
            for (std::size_t k = 0; k < x.size(); ++k)
                x[k] = from + step * static_cast<double>(i + static_cast<int>(k));
            Several expected = x;
            for (double& each : expected) each = alone(each);
            several(x);
            wrong += std::memcmp(x.data(), expected.data(), sizeof x) != 0;
        }
        return wrong;
    };
    CHECK(same(edgeemo::exact::exp, edgeemo::exact::exp, -20.0, 0.01003) == 0);
    CHECK(same(edgeemo::exact::expm1, edgeemo::exact::expm1, -1.0, 0.00051) == 0);
    CHECK(same(edgeemo::exact::log, edgeemo::exact::log, 1e-9, 0.00173) == 0);
    CHECK(same(edgeemo::exact::log1p, edgeemo::exact::log1p, -0.4, 0.00051) == 0);
}

}  // namespace

int main() {
    several_numbers_are_those_of_one_by_one();
    the_numbers_are_those_of_every_machine();
    every_kernel_gives_the_same_bits();
    any_chunks_give_the_whole();
    a_steady_stream_allocates_nothing();
    a_sink_that_throws_leaves_the_stream_in_time();
    spans_cover_the_clip();
    bad_sound_is_named_and_changes_nothing();
    a_bad_specification_says_what_is_wrong();
    every_filter_fits_into_256_kilobytes();
    threads_share_a_frontend();
}
