// The engine, recognizers and the C ABI on a library that only stands in for LiteRT: faults are told, threads
// do not meet, and a prediction takes no memory.
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <thread>
#include <vector>

#include "allocations.h"
#include "check.h"
#include "edgeemo/edgeemo.h"
#include "edgeemo/engine.h"
#include "edgeemo/errors.h"
#include "edgeemo/recognizer.h"
#include "sha256.h"
#include "stand_in.h"

using namespace edgeemo;

namespace {

ModelBytes model_of(const char* name) { return Bundle::open(bundle_path(name)).model; }

void test_faults_are_told() {
    const ModelBytes model = model_of("text");
    const auto fails = [&](const char* fault) {
        return message_of<InferenceError>([&] { Engine engine(model, with(fault)); });
    };
    CHECK(fails("no_environment").find("made no environment (status 1)") != std::string::npos);
    CHECK(fails("no_model").find("refuses the model (status 501)") != std::string::npos);
    CHECK(fails("small").find("1 bytes, the model needs") != std::string::npos);
    CHECK(fails("unsteady").find("self-test") != std::string::npos);
    const std::string lacks =
        message_of<RuntimeUnavailableError>([&] { Engine engine(model, with("lacks")); });
    CHECK(lacks.find("has no LiteRtGetTensorBufferHostMemory") != std::string::npos);
    Engine engine(model, with("run"));
    CHECK(message_of<InferenceError>([&] { engine.run(); }).find("could not run the model") !=
          std::string::npos);
}

void test_digest_and_structure_come_first() {
    const ModelBytes model = model_of("text");
    EngineOptions options = with("good");
    const std::string digest = sha256_hex(model.data, model.size);
    options.sha256 = digest;
    Engine good(model, options);
    const std::string zeros(64, '0');
    options.sha256 = zeros;
    options.library = "/nowhere";
    CHECK(message_of<BundleCorruptError>([&] { Engine engine(model, options); }).find("digest") !=
          std::string::npos);
    options.sha256 = {};
    message_of<BundleCorruptError>([&] { Engine engine({model.data, model.size / 2, model.keep}, options); });
    message_of<RuntimeUnavailableError>([&] { Engine engine(model, options); });
}

void test_sha256() {
    const auto hex = [](const std::string& text) {
        return sha256_hex(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    };
    CHECK(hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    CHECK(hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    CHECK(hex(std::string(1000000, 'a')) ==
          "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

void listen(VoiceListener& listener, const Voice& voice, Result& result, int& heard) {
    for (std::size_t at = 0; at < voice.samples.size(); at += 800) {
        listener.push(voice.part(at, 800), static_cast<std::int64_t>(at / 16));
        while (listener.next(result)) ++heard;
    }
    listener.flush();
    while (listener.next(result)) ++heard;
    listener.summary(result);
}

// What is said of the frames that stand one another after another, as one row of numbers.
void watch(FaceWatcher& watcher, const Film& film, Result& result, std::vector<double>& said) {
    said.clear();
    for (std::size_t f = 0; f < 8; ++f) {
        watcher.push(film.image(f / 2), static_cast<std::int64_t>(40 * f));
        while (watcher.next(result)) {
            said.push_back(static_cast<double>(result.track_id));
            said.push_back(result.face->box.x0);
            said.push_back(static_cast<double>(result.scores[1]));
            said.push_back(result.evidence);
        }
    }
}

// So that the tests below can fail.
void test_every_way_to_memory_is_counted() {
    struct alignas(64) Wide {
        char bytes[64];
    };
    const auto counted = [](auto&& take) {
        counting = true;
        take();
        counting = false;
        return allocations.exchange(0) > 0;
    };
    void* volatile memory = nullptr;
    CHECK(counted([&] { memory = new char[7]; }));
    delete[] static_cast<char*>(memory);
    if (!kCountsMalloc) return;
    CHECK(counted([&] { memory = new Wide; }));
    delete static_cast<Wide*>(memory);
    CHECK(counted([&] { memory = std::malloc(7); }));
    CHECK(counted([&] { memory = std::realloc(memory, 4000); }));
    std::free(memory);
    CHECK(counted([&] { memory = std::calloc(7, 7); }));
    std::free(memory);
    CHECK(counted([&] { memory = std::aligned_alloc(64, 64); }));
    std::free(memory);
    CHECK(counted([&] { message_of<InputError>([] { throw InputError("an exception"); }); }));
}

void test_a_steady_state_takes_no_memory() {
    const Recognizer text = Recognizer::open(bundle_path("text"), with("good"));
    const Recognizer voice = Recognizer::open(bundle_path("voice"), with("good"));
    const Voice sound;
    VoiceListener listener = voice.listen(16000);
    Result result;
    int heard = 0;
    const auto once = [&] {
        text.predict_text("I love this so much, and yet \xF0\x9F\x98\x80 I am afraid.", result);
        voice.predict_pcm(sound.part(0, sound.samples.size()), 16000, result);
        listener.reset();
        listen(listener, sound, result, heard);
    };
    for (int i = 0; i < 3; ++i) once();
    counting = true;
    for (int i = 0; i < 3; ++i) once();
    counting = false;
    CHECK(heard > 6);
    CHECK(allocations == 0);
}

void test_pictures_take_no_memory() {
    const Recognizer face = Recognizer::open(bundle_path("face"), with("good"));
    const Film film(4);
    FaceWatcher watcher = face.watch();
    Result result;
    std::vector<double> said;
    std::vector<Face> found;
    std::size_t faces = 0;
    const Face turned{{20, 20, 90, 100}, {Point{40, 50}, Point{70, 58}}, 0.9};
    const Box box{10, 20, 70, 90};
    const auto once = [&] {
        for (const Color color :
             {Color::gray, Color::rgb, Color::bgr, Color::rgba, Color::yuyv, Color::nv12}) {
            const Image image = film.image(1, color);
            face.predict_image(image, nullptr, result);
            face.predict_image(image, &box, result);
            face.predict_face(image, turned, result);
            face.predict_front(image, result);
            for (std::size_t f = 0; f < film.frames.size(); ++f) {
                face.find_faces(film.image(f, color), found);
                faces += found.size();
            }
        }
        watcher.reset();
        watch(watcher, film, result, said);  // faces come and go
    };
    for (int i = 0; i < 3; ++i) once();
    counting = true;
    for (int i = 0; i < 3; ++i) once();
    counting = false;
    CHECK(faces > 6);
    CHECK(said.size() > 40);
    CHECK(allocations == 0);
}

void test_a_c_prediction_takes_no_memory() {
    edgeemo_options options{};
    options.struct_size = sizeof options;
    const std::string library = stand_in("good");
    options.library = library.c_str();
    edgeemo_recognizer *text = nullptr, *face = nullptr;
    CHECK(edgeemo_open(bundle_path("text").c_str(), &options, &text) == EDGEEMO_OK);
    CHECK(edgeemo_open(bundle_path("face").c_str(), &options, &face) == EDGEEMO_OK);
    edgeemo_stream* stream = nullptr;
    CHECK(edgeemo_stream_open_faces(face, nullptr, &stream) == EDGEEMO_OK);
    std::vector<edgeemo_result> results(70);
    std::vector<float> probabilities(results.size() * edgeemo_n_labels(face));
    for (std::size_t i = 0; i < results.size(); ++i) {
        results[i].struct_size = sizeof results[i];
        results[i].probabilities = probabilities.data() + i * edgeemo_n_labels(face);
        results[i].n_probabilities = edgeemo_n_labels(face);
    }
    const Film film(4);
    edgeemo_image image{};
    image.struct_size = sizeof image;
    image.color = EDGEEMO_RGB;
    image.width = image.height = Film::kSide;
    std::int64_t t_ms = 0;
    std::uint32_t most = 0;
    const auto once = [&] {
        CHECK(edgeemo_predict_text(text, "How dare you?", 13, results.data()) == EDGEEMO_OK);
        image.pixels = film.frames[static_cast<std::size_t>(t_ms / 40 % 4)].data();
        auto n = static_cast<std::uint32_t>(results.size());
        CHECK(edgeemo_predict_image(face, &image, nullptr, results.data()) == EDGEEMO_OK);
        CHECK(edgeemo_predict_front(face, &image, results.data()) == EDGEEMO_OK);
        CHECK(edgeemo_predict_faces(face, &image, results.data(), &n) == EDGEEMO_OK);
        most = std::max(most, n);
        CHECK(edgeemo_stream_push_image(stream, &image, t_ms += 40) == EDGEEMO_OK);
        while (edgeemo_stream_next(stream, results.data()) == EDGEEMO_OK) continue;
    };
    for (int i = 0; i < 20; ++i) once();
    counting = true;
    for (int i = 0; i < 10; ++i) once();
    counting = false;
    CHECK(most > 1);
    CHECK(allocations == 0);
    edgeemo_stream_close(stream);
    edgeemo_close(face);
    edgeemo_close(text);
}

// The request to end the thread is there before it calls.
void test_a_call_is_not_cancelled() {
    static std::atomic<int> done{0};
    const auto work = [](void*) -> void* {
        const std::string library = stand_in("good"), bundle = bundle_path("voice");
        edgeemo_options options{};
        options.struct_size = sizeof options;
        options.library = library.c_str();
        edgeemo_recognizer* recognizer = nullptr;
        edgeemo_stream* stream = nullptr;
        pthread_cancel(pthread_self());
        done += edgeemo_open(bundle.c_str(), &options, &recognizer) == EDGEEMO_OK ? 1 : 0;
        done += edgeemo_stream_open(recognizer, 16000, 1, &stream) == EDGEEMO_OK ? 1 : 0;
        done += edgeemo_open("/nowhere", nullptr, nullptr) == EDGEEMO_ERROR_INPUT ? 1 : 0;
        edgeemo_close(recognizer);
        edgeemo_stream_close(stream);
        ++done;
        int state = -1;
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
        done += state == PTHREAD_CANCEL_ENABLE ? 1 : 0;  // as it was
        return &done;
    };
    pthread_t thread{};
    void* returned = nullptr;
    CHECK(pthread_create(&thread, nullptr, work, nullptr) == 0);
    CHECK(pthread_join(thread, &returned) == 0);
    CHECK(done == 5 && returned == &done);
}

// In a child of fork() no lock is waited for that only a thread of the parent could open: an error says so.
void test_a_forked_child_is_refused() {
    const auto opened = [](const char* name) {
        const std::string library = stand_in("good");
        edgeemo_options options{};
        options.struct_size = sizeof options;
        options.library = library.c_str();
        edgeemo_recognizer* recognizer = nullptr;
        CHECK(edgeemo_open(bundle_path(name).c_str(), &options, &recognizer) == EDGEEMO_OK);
        return recognizer;
    };
    edgeemo_recognizer *const text = opened("text"), *const voice = opened("voice"),
                              *const face = opened("face");
    const Voice sound;
    const Film film(1);
    edgeemo_pcm pcm{};
    pcm.struct_size = sizeof pcm;
    pcm.int16 = sound.samples.data();
    pcm.samples = 32000;
    edgeemo_image image{};
    image.struct_size = sizeof image;
    image.pixels = film.frames[0].data();
    image.width = image.height = Film::kSide;
    const auto all = [&](std::int32_t expected) {
        edgeemo_result result{};
        result.struct_size = sizeof result;
        return edgeemo_predict_text(text, "so happy", 8, &result) == expected &&
               edgeemo_predict_text(text, "", 0, &result) == expected &&
               edgeemo_predict_pcm(voice, &pcm, 16000, &result) == expected &&
               edgeemo_predict_image(face, &image, nullptr, &result) == expected &&
               edgeemo_predict_front(face, &image, &result) == expected;
    };
    CHECK(all(EDGEEMO_OK));
    std::atomic<bool> enough{false};
    // a sanitizer's allocator, unlike libc's, stays locked in a child if another thread was in it
    std::thread busy;
    if (!kSanitized) {
        busy = std::thread([&] {
            while (!enough) CHECK(all(EDGEEMO_OK));
        });
    }
    for (int i = 0; i < 8; ++i) {
        const pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            alarm(10);
            const bool refused = all(EDGEEMO_ERROR_INFERENCE) &&
                                 std::string(edgeemo_last_error()).find("spawn") != std::string::npos;
            edgeemo_close(face);
            edgeemo_recognizer* const own = opened("text");
            edgeemo_result result{};
            result.struct_size = sizeof result;
            const bool reads = edgeemo_predict_text(own, "so happy", 8, &result) == EDGEEMO_OK;
            _exit(refused && reads ? 0 : 1);
        }
        int status = -1;
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    enough = true;
    if (busy.joinable()) busy.join();
    for (edgeemo_recognizer* const recognizer : {text, voice, face}) edgeemo_close(recognizer);
}

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

void test_a_broken_bundle_is_refused() {
    std::ifstream file(bundle_path("voice"), std::ios::binary);
    std::vector<char> bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    const auto read = [&](std::size_t size) {
        return Bundle::from_bytes({reinterpret_cast<const std::uint8_t*>(bytes.data()), size, nullptr});
    };
    CHECK(read(bytes.size()).card.name == "voice");
    for (std::size_t size = 0; size < bytes.size(); size += 997)
        message_of<BundleCorruptError>([&] { read(size); });
    for (std::size_t at = bytes.size() - 1; at > bytes.size() - 400; --at) {  // the directory, byte by byte
        bytes[at] = static_cast<char>(bytes[at] ^ 1);
        message_of<BundleCorruptError>([&] { read(bytes.size()); });
        bytes[at] = static_cast<char>(bytes[at] ^ 1);
    }
}

}  // namespace

int main() {
    test_sha256();
    test_faults_are_told();
    test_digest_and_structure_come_first();
    test_a_broken_bundle_is_refused();
    test_every_way_to_memory_is_counted();
    test_a_steady_state_takes_no_memory();
    test_pictures_take_no_memory();
    test_a_c_prediction_takes_no_memory();
    test_a_call_is_not_cancelled();
    test_a_forked_child_is_refused();
    test_streams_in_parallel_do_not_meet();
    test_face_streams_in_parallel_do_not_meet();
    test_threads_open_one_detector();
    return 0;
}
