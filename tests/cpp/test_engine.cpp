// The engine and the C ABI on a library that only stands in for LiteRT: faults become errors.
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "base/sha256.h"
#include "edgeemo/edgeemo.h"
#include "edgeemo/errors.h"
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
    CHECK(fails("no_buffer").find("made no tensor (status 5)") != std::string::npos);
    CHECK(fails("unsteady").find("self-test") != std::string::npos);
    const std::string lacks =
        message_of<RuntimeUnavailableError>([&] { Engine engine(model, with("lacks")); });
    CHECK(lacks.find("has no LiteRtGetTensorBufferHostMemory") != std::string::npos);
    Engine engine(model, with("run"));
    CHECK(message_of<InferenceError>([&] { engine.run(); }).find("could not run the model") !=
          std::string::npos);
}

void test_the_structure_comes_first() {
    const ModelBytes model = model_of("text");
    EngineOptions options = with("good");
    options.library = "/nowhere";
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
    test_faults_are_told();
    test_the_structure_comes_first();
    test_sha256();
    test_a_call_is_not_cancelled();
    test_a_forked_child_is_refused();
    test_a_broken_bundle_is_refused();
    return 0;
}
