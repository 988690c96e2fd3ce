// Threads do not meet, on a library that only stands in for LiteRT; also under the thread sanitizer.
#include <atomic>
#include <thread>
#include <vector>

#include "stand_in.h"

using namespace edgeemo;

namespace {

void test_streams_in_parallel_do_not_meet() {
    const Recognizer recognizer = Recognizer::open(bundle_path("voice"), with("good"));
    const Voice sound;
    Result alone;
    int heard = 0;
    VoiceListener first = recognizer.listen(16000);
    listen(first, sound, alone, heard);
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            Result result;
            int n = 0;
            VoiceListener listener = recognizer.listen(16000);
            listen(listener, sound, result, n);
            if (n != heard || result.scores != alone.scores || result.probabilities != alone.probabilities)
                ++wrong;
        });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong == 0);
}

void test_face_streams_in_parallel_do_not_meet() {
    const Recognizer recognizer = Recognizer::open(bundle_path("face"), with("good"));
    const Film film(4);
    Result result;
    std::vector<double> alone;
    FaceWatcher first = recognizer.watch();
    watch(first, film, result, alone);
    CHECK(!alone.empty());
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            Result own;
            std::vector<double> said;
            FaceWatcher watcher = recognizer.watch();
            watch(watcher, film, own, said);
            recognizer.predict_front(film.image(2), own);
            if (said != alone) ++wrong;
        });
    }
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong == 0);
}

// The detector beside the bundle is opened by whoever needs it first.
void test_threads_open_one_detector() {
    const Film film(4);
    const auto found_by = [&](const Recognizer& recognizer) {
        std::vector<Face> found, all;
        for (std::size_t f = 0; f < 4; ++f) {
            recognizer.find_faces(film.image(f), found);
            all.insert(all.end(), found.begin(), found.end());
        }
        return all;
    };
    const std::vector<Face> expected = found_by(Recognizer::open(bundle_path("face"), with("good")));
    CHECK(!expected.empty());
    const Recognizer shared = Recognizer::open(bundle_path("face"), with("good"));
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) threads.emplace_back([&] { wrong += found_by(shared) == expected ? 0 : 1; });
    for (std::thread& thread : threads) thread.join();
    CHECK(wrong == 0);
}

}  // namespace

int main() {
    test_streams_in_parallel_do_not_meet();
    test_face_streams_in_parallel_do_not_meet();
    test_threads_open_one_detector();
    return 0;
}
