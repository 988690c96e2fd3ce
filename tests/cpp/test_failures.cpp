// A model fails while a stream runs. The stream reports the failure and loses that input; all later results
// stay the same.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "check.h"
#include "edgeemo/edgeemo.h"
#include "edgeemo/errors.h"
#include "edgeemo/recognizer.h"
#include "stand_in.h"

using namespace edgeemo;

namespace {

using Said = std::tuple<std::int64_t, std::int64_t, std::array<float, kEmotions>>;  // from, to, scores

std::vector<Said> waiting(VoiceListener& listener) {
    std::vector<Said> all;
    for (Result result; listener.next(result);)
        all.emplace_back(result.start_ms, result.end_ms, result.scores);
    return all;
}

void append(std::vector<Said>& to, const std::vector<Said>& more) {
    to.insert(to.end(), more.begin(), more.end());
}

Recognizer opened(const char* name) { return Recognizer::open(bundle_path(name), with("good")); }

bool fails(VoiceListener& listener, const Pcm& chunk, std::int64_t t_ms) {
    try {
        listener.push(chunk, t_ms);
        return false;
    } catch (const InferenceError&) {
        return true;
    }
}

// What is said of half a minute in chunks of 400 ms, which is at most one span a chunk; runs first … first +
// n
// - 1 fail.
struct Heard {
    std::vector<Said> said;
    int refused = 0;
    Result summary;
};

Heard hear(const Recognizer& recognizer, std::int32_t rate_hz, int first, int n) {
    const Voice voice;
    Heard heard;
    VoiceListener listener = recognizer.listen(rate_hz);
    const auto samples = static_cast<std::size_t>(rate_hz) * 2 / 5;
    fail_runs(first, n);
    for (std::int64_t t_ms = 0; t_ms < 30000; t_ms += 400) {
        const Pcm chunk = voice.part(static_cast<std::size_t>(t_ms) % 9999, samples);
        heard.refused += fails(listener, chunk, t_ms) ? 1 : 0;
        append(heard.said, waiting(listener));
    }
    fail_runs(0, 0);
    listener.flush();
    append(heard.said, waiting(listener));
    listener.summary(heard.summary);
    return heard;
}

// `some` is what is left of `all` where n spans, one after another, are missing.
bool lacks(const std::vector<Said>& some, const std::vector<Said>& all, std::size_t first, std::size_t n) {
    std::vector<Said> expected = all;
    const auto begin = expected.begin() + static_cast<std::ptrdiff_t>(first);
    expected.erase(begin, begin + static_cast<std::ptrdiff_t>(n));
    return some == expected;
}

void test_a_voice_goes_on_in_time() {
    const Recognizer recognizer = opened("voice");
    for (const std::int32_t rate_hz : {8000, 16000, 44100}) {
        const Heard all = hear(recognizer, rate_hz, 0, 0);
        CHECK(all.refused == 0 && all.said.size() > 20);
        for (const int first : {0, 3}) {
            for (const int n : {1, 2, 12}) {
                const Heard some = hear(recognizer, rate_hz, first, n);
                CHECK(some.refused == n);
                CHECK(
                    lacks(some.said, all.said, static_cast<std::size_t>(first), static_cast<std::size_t>(n)));
                CHECK(some.summary.start_ms == 0 && some.summary.end_ms == all.summary.end_ms);
            }
        }
    }
}

// The stream reports every span that fails, and writes only its own memory.
void test_a_model_that_always_fails_is_always_told() {
    const Recognizer recognizer = opened("voice");
    const Heard all = hear(recognizer, 16000, 0, 0), none = hear(recognizer, 16000, 0, INT_MAX);
    CHECK(none.refused > 20);
    CHECK(none.said.size() <= 1);  // the end, once it runs again
    CHECK(none.summary.end_ms == all.summary.end_ms);
}

// When the second span of a push fails, the first still waits and the rest is lost. The next push loses
// nothing.
void test_what_was_heard_before_waits() {
    const Recognizer recognizer = opened("voice");
    const Voice voice;
    VoiceListener listener = recognizer.listen(16000), undisturbed = recognizer.listen(16000);
    undisturbed.push(voice.part(0, 80000), 0);
    std::vector<Said> all = waiting(undisturbed);
    const std::size_t n = all.size();
    CHECK(n > 3);
    fail_runs(1, 1);
    CHECK(fails(listener, voice.part(0, 80000), 0));
    listener.push(voice.part(0, 80000), 5000);
    undisturbed.push(voice.part(0, 80000), 5000);
    append(all, waiting(undisturbed));
    CHECK(lacks(waiting(listener), all, 1, n - 1));
}

void test_an_end_that_fails_is_an_end() {
    const Recognizer recognizer = opened("voice");
    const Voice voice;
    for (const bool gap : {false, true}) {
        VoiceListener listener = recognizer.listen(16000), fresh = recognizer.listen(16000);
        listener.push(voice.part(0, 9000), 100);
        fail_runs(0, 1);
        if (gap) {
            CHECK(fails(listener, voice.part(0, 40000), 9000));  // and is not taken
        } else {
            message_of<InferenceError>([&] { listener.flush(); });
        }
        for (VoiceListener* const each : {&listener, &fresh}) {
            each->push(voice.part(0, 40000), 9000);
            each->flush();
        }
        CHECK(waiting(listener) == waiting(fresh));
        Result summary;
        listener.summary(summary);
        CHECK(summary.start_ms == 100 && summary.end_ms == 11500);
    }
}

void test_the_clip_after_one_that_failed_is_read_whole() {
    const Recognizer recognizer = opened("voice");
    const Voice voice;
    Result expected, result;
    recognizer.predict_pcm(voice.part(0, 80000), 16000, expected);
    fail_runs(2, 1);
    message_of<InferenceError>([&] { recognizer.predict_pcm(voice.part(0, 80000), 16000, result); });
    recognizer.predict_pcm(voice.part(0, 80000), 16000, result);
    CHECK(result.scores == expected.scores && result.end_ms == expected.end_ms);
}

// Seen from C, in a child of fork(): every call says so, for minutes of it.
void test_a_forked_stream_is_refused() {
    edgeemo_options options{};
    options.struct_size = sizeof options;
    const std::string library = stand_in("good");
    options.library = library.c_str();
    edgeemo_recognizer* recognizer = nullptr;
    edgeemo_stream* stream = nullptr;
    CHECK(edgeemo_open(bundle_path("voice").c_str(), &options, &recognizer) == EDGEEMO_OK);
    CHECK(edgeemo_stream_open(recognizer, 16000, 0, &stream) == EDGEEMO_OK);
    const Voice voice;
    edgeemo_pcm chunk{};
    chunk.struct_size = sizeof chunk;
    chunk.int16 = voice.samples.data();
    chunk.samples = 6400;
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        alarm(60);
        int refused = 0;
        bool as_promised = true;
        for (int i = 0; i < 400; ++i) {
            const std::int32_t code = edgeemo_stream_push(stream, &chunk, 400 * i);
            refused += code == EDGEEMO_ERROR_INFERENCE ? 1 : 0;
            as_promised = as_promised && (code == EDGEEMO_OK || code == EDGEEMO_ERROR_INFERENCE);
        }
        as_promised = as_promised && edgeemo_stream_flush(stream) == EDGEEMO_ERROR_INFERENCE;
        edgeemo_stream_close(stream);
        edgeemo_close(recognizer);
        _exit(as_promised && refused > 100 ? 0 : 1);
    }
    int status = -1;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    edgeemo_stream_close(stream);
    edgeemo_close(recognizer);
}

std::vector<double> seen_by(FaceWatcher& watcher) {
    std::vector<double> all;
    for (Result result; watcher.next(result);) {
        const Box& box = result.face->box;
        const auto score = static_cast<double>(result.scores[1]);
        all.insert(all.end(), {static_cast<double>(result.track_id), box.x0, box.y1, score, result.evidence,
                               static_cast<double>(result.start_ms), static_cast<double>(result.end_ms)});
    }
    return all;
}

// Whether the detector fails, or the first face, or the second: that frame was never seen.
void test_faces_are_followed_as_before() {
    const Recognizer recognizer = opened("face");
    const Film film(4);
    std::vector<Face> found;
    std::size_t crowd = 0;  // a frame with two faces at least
    for (; found.size() < 2 && crowd < 8; ++crowd) recognizer.find_faces(film.image(crowd), found);
    CHECK(found.size() >= 2);
    --crowd;
    FaceWatcher watcher = recognizer.watch(), undisturbed = recognizer.watch();
    std::size_t seen = 0;
    for (std::size_t f = 0; f < 16; ++f) {
        const auto t_ms = static_cast<std::int64_t>(40 * f);
        fail_runs(static_cast<int>(f % 3), 1);
        message_of<InferenceError>([&] { watcher.push(film.image(crowd), t_ms); });
        CHECK(seen_by(watcher).empty());
        watcher.push(film.image(f / 2), t_ms);
        undisturbed.push(film.image(f / 2), t_ms);
        const std::vector<double> expected = seen_by(undisturbed);
        seen += expected.size();
        CHECK(seen_by(watcher) == expected);
    }
    CHECK(seen > 40);
}

}  // namespace

int main() {
    test_a_voice_goes_on_in_time();
    test_a_model_that_always_fails_is_always_told();
    test_what_was_heard_before_waits();
    test_an_end_that_fails_is_an_end();
    test_the_clip_after_one_that_failed_is_read_whole();
    test_a_forked_stream_is_refused();
    test_faces_are_followed_as_before();
    return 0;
}
