// A kiosk reads the text that people type. With a face bundle the kiosk follows their faces instead. Its
// camera gives 25 binary PPM or PGM files a second:
//
//     kiosk BUNDLE [--library libLiteRt.so] FILE...
//
// Each file is read in turn. The file face-detector.tflite beside a face bundle finds the faces.
#include <edgeemo/edgeemo.h>

#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <limits>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

struct Closer {
    void operator()(edgeemo_recognizer* recognizer) const { edgeemo_close(recognizer); }
    void operator()(edgeemo_stream* stream) const { edgeemo_stream_close(stream); }
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

// A result with room for the model's own labels.
struct Room {
    explicit Room(const edgeemo_recognizer* recognizer) : probabilities(edgeemo_n_labels(recognizer)) {
        result.struct_size = sizeof result;
        result.probabilities = probabilities.data();
        result.n_probabilities = static_cast<std::uint32_t>(probabilities.size());
    }
    std::vector<float> probabilities;
    edgeemo_result result{};
};

void tell(const edgeemo_recognizer* recognizer, const edgeemo_result& result) {
    std::printf(" %s %.2f", edgeemo_emotion(result.label), static_cast<double>(result.confidence));
    for (std::uint32_t i = 0; i < result.n_probabilities; ++i)
        if (result.probabilities[i] >= edgeemo_threshold(recognizer, i))
            std::printf(" %s", edgeemo_label(recognizer, i));
}

void read_text(edgeemo_recognizer* recognizer, const std::string& path) {
    Room room(recognizer);
    const std::string text = contents(path);
    check(edgeemo_predict_text(recognizer, text.data(), text.size(), &room.result));
    std::printf("%s:", path.c_str());
    tell(recognizer, room.result);
    std::printf("\n");
}

// The next number in the head of a PPM or PGM file, in which lines may be comments.
int number_in(std::istream& head) {
    int number = 0;
    while ((head >> std::ws).peek() == '#') head.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
    head >> number;
    return number;
}

// The picture in the bytes of a file.
edgeemo_image picture_in(const std::string& bytes) {
    std::istringstream head(bytes);
    std::string magic;
    head >> magic;
    const int width = number_in(head), height = number_in(head), most = number_in(head);
    const std::size_t begin = static_cast<std::size_t>(head.tellg()) + 1;
    const std::size_t channels = magic == "P6" ? 3 : 1;
    const bool known = (magic == "P6" || magic == "P5") && most == 255 && width > 0 && height > 0;
    if (!head || !known ||
        bytes.size() < begin + channels * static_cast<std::size_t>(width) * static_cast<std::size_t>(height))
        throw std::runtime_error("expected a binary PPM or PGM picture");
    edgeemo_image image{};
    image.struct_size = sizeof image;
    image.color = channels == 3 ? EDGEEMO_RGB : EDGEEMO_GRAY;
    image.pixels = reinterpret_cast<const std::uint8_t*>(bytes.data()) + begin;
    image.width = width;
    image.height = height;
    return image;
}

// The faces of a camera; each is followed from its second frame on.
class Watch {
  public:
    explicit Watch(edgeemo_recognizer* recognizer) : recognizer_(recognizer) {
        edgeemo_stream* opened = nullptr;
        check(edgeemo_stream_open_faces(recognizer, nullptr, &opened));
        stream_.reset(opened);
    }

    void see(const std::string& path) {
        const std::string bytes = contents(path);
        const edgeemo_image frame = picture_in(bytes);
        check(edgeemo_stream_push_image(stream_.get(), &frame, t_ms_));
        t_ms_ += 40;
        std::printf("%s:", path.c_str());
        std::int32_t code = EDGEEMO_OK;
        for (Room room(recognizer_);
             (code = edgeemo_stream_next(stream_.get(), &room.result)) == EDGEEMO_OK;) {
            std::printf(" [%d at %.0f, %.0f]", static_cast<int>(room.result.track_id), room.result.box[0],
                        room.result.box[1]);
            tell(recognizer_, room.result);
        }
        check(code);
        std::printf("\n");
    }

  private:
    edgeemo_recognizer* recognizer_;
    std::unique_ptr<edgeemo_stream, Closer> stream_;
    std::int64_t t_ms_ = 0;
};

void run(edgeemo_recognizer* recognizer, const std::vector<std::string>& files) {
    if (std::string(edgeemo_modality(recognizer)) == "face") {
        Watch watch(recognizer);
        for (const std::string& file : files) watch.see(file);
    } else {
        for (const std::string& file : files) read_text(recognizer, file);
    }
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
        run(recognizer.get(), {words.begin() + 1, words.end()});
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}
