// A kiosk that reads what people type and, if it has a bundle of faces, their pictures (binary PPM or PGM):
//
//     kiosk BUNDLE [--library libLiteRt.so] FILE...
//
// Each file is read in turn, a picture by a face bundle, a text by a text bundle.
#include <edgeemo/edgeemo.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

struct Closer {
    void operator()(edgeemo_recognizer* recognizer) const { edgeemo_close(recognizer); }
};
using Recognizer = std::unique_ptr<edgeemo_recognizer, Closer>;

void check(std::int32_t code) {
    if (code < 0) throw std::runtime_error(edgeemo_last_error());
}

Recognizer open(const std::string& bundle, const std::string& library) {
    edgeemo_options options{};
    options.struct_size = sizeof options;
    if (!library.empty()) options.library = library.c_str();
    edgeemo_recognizer* opened = nullptr;
    check(edgeemo_open(bundle.c_str(), &options, &opened));
    return Recognizer(opened);
}

std::string contents(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error(path + " cannot be read");
    return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void read_picture(edgeemo_recognizer* recognizer, const std::string& bytes, edgeemo_result* result) {
    std::istringstream head(bytes);
    std::string magic;
    int width = 0, height = 0, most = 0;
    head >> magic >> width >> height >> most;
    const std::size_t begin = static_cast<std::size_t>(head.tellg()) + 1;
    const std::size_t channels = magic == "P6" ? 3 : 1;
    const bool known = (magic == "P6" || magic == "P5") && most == 255 && width > 0 && height > 0;
    if (!known ||
        bytes.size() < begin + channels * static_cast<std::size_t>(width) * static_cast<std::size_t>(height))
        throw std::runtime_error("expected a binary PPM or PGM picture");
    edgeemo_image image{};
    image.struct_size = sizeof image;
    image.color = channels == 3 ? EDGEEMO_RGB : EDGEEMO_GRAY;
    image.pixels = reinterpret_cast<const std::uint8_t*>(bytes.data()) + begin;
    image.width = width;
    image.height = height;
    check(edgeemo_predict_image(recognizer, &image, nullptr, result));
}

void greet(edgeemo_recognizer* recognizer, const std::string& path) {
    std::vector<float> probabilities(edgeemo_n_labels(recognizer));
    edgeemo_result result{};
    result.struct_size = sizeof result;
    result.probabilities = probabilities.data();
    result.n_probabilities = static_cast<std::uint32_t>(probabilities.size());
    const std::string bytes = contents(path);
    if (std::string(edgeemo_modality(recognizer)) == "face") {
        read_picture(recognizer, bytes, &result);
    } else {
        check(edgeemo_predict_text(recognizer, bytes.data(), bytes.size(), &result));
    }
    std::printf("%s: %s %.2f", path.c_str(), edgeemo_emotion(result.label),
                static_cast<double>(result.confidence));
    for (std::uint32_t i = 0; i < result.n_probabilities; ++i)
        if (probabilities[i] >= edgeemo_threshold(recognizer, i))
            std::printf(" %s", edgeemo_label(recognizer, i));
    std::printf("\n");
}

}  // namespace

int main(int argc, char** argv) {
    std::vector<std::string> words(argv + 1, argv + argc);
    std::string library;
    if (words.size() > 2 && words[1] == "--library") {
        library = words[2];
        words.erase(words.begin() + 1, words.begin() + 3);
    }
    if (words.size() < 2) {
        std::fprintf(stderr, "usage: kiosk BUNDLE [--library libLiteRt.so] FILE...\n");
        return 2;
    }
    try {
        const Recognizer recognizer = open(words[0], library);
        for (std::size_t i = 1; i < words.size(); ++i) greet(recognizer.get(), words[i]);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}
