// A prediction takes no memory in the steady state, on a library that only stands in for LiteRT.
#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "allocations.h"
#include "check.h"
#include "edgeemo/edgeemo.h"
#include "edgeemo/errors.h"
#include "stand_in.h"

using namespace edgeemo;

namespace {

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

// A voice that reads the output of its labels a second time, as bursts.
Bundle that_hears_bursts() {
    Bundle bundle = Bundle::open(bundle_path("voice"));
    Card& card = bundle.card;
    card.burst_labels = card.labels;
    card.bursts_output = card.labels_output;
    card.bursts = card.readout;
    card.bursts.neutral = {0};
    card.bursts.affect.assign(card.labels.size(), {0.5F, -0.5F});
    return bundle;
}

void test_a_steady_state_takes_no_memory(Bundle of_voice) {
    const bool bursts = !of_voice.card.burst_labels.empty();
    const Recognizer text = Recognizer::open(bundle_path("text"), with("good"));
    const Recognizer voice(std::move(of_voice), with("good"));
    const Voice sound;
    VoiceListener listener = voice.listen(16000);
    VoiceStreamSpec sensitive;
    sensitive.onset = 0.05;
    sensitive.end = 0.01;
    sensitive.most_ms = 1000;
    VoiceListener by_utterance = voice.listen(16000, 1, {false, true, true}, sensitive);
    Result result;
    int heard = 0, utterances = 0;
    const auto once = [&] {
        text.predict_text("I love this so much, and yet \xF0\x9F\x98\x80 I am afraid.", result);
        voice.predict_pcm(sound.part(0, sound.samples.size()), 16000, result);
        listener.reset();
        listen(listener, sound, result, heard);
        by_utterance.reset();
        listen(by_utterance, sound, result, utterances);
    };
    for (int i = 0; i < 3; ++i) once();
    counting = true;
    for (int i = 0; i < 3; ++i) once();
    counting = false;
    CHECK(heard > 6);
    CHECK(utterances > 6);
    CHECK(result.bursts.probabilities.empty() != bursts);
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

}  // namespace

int main() {
    test_every_way_to_memory_is_counted();
    test_a_steady_state_takes_no_memory(Bundle::open(bundle_path("voice")));
    test_a_steady_state_takes_no_memory(that_hears_bursts());
    test_pictures_take_no_memory();
    test_a_c_prediction_takes_no_memory();
    return 0;
}
