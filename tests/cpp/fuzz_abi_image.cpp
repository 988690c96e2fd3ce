// Random bytes go as pictures through the C ABI: in all colors, with any strides, boxes and the detector,
// and as frames of a stream. The first bytes choose, frame after frame; each frame's pixels are what is
// left, over and over.
#include "fuzz_abi.h"

namespace {

constexpr std::int32_t kMostFrames = 4;

// A picture whose memory ends where its last row ends.
struct Picture {
    std::unique_ptr<std::uint8_t[]> bytes;
    edgeemo_image image{};
    bool refused = false;  // for its stride, if for nothing else
};

std::int32_t side(std::uint32_t choice) {
    constexpr std::int32_t kOdd[] = {0, -1, 32769, 1, 2, 300};
    return choice < 250 ? 1 + static_cast<std::int32_t>(choice % 60) : kOdd[choice - 250];
}

Picture picture_of(fuzz::Choices& choose) {
    constexpr std::ptrdiff_t kBytes[] = {1, 3, 3, 4, 2, 1};
    Picture picture;
    edgeemo_image& image = picture.image;
    image.struct_size = sizeof image;
    image.color = static_cast<std::int32_t>(choose.byte() % 7);  // 6 is none
    image.width = side(choose.byte());
    image.height = side(choose.byte());
    const std::uint32_t apart = choose.byte();
    const bool good = image.width > 0 && image.height > 0 && image.width <= 300 && image.height <= 300;
    const std::ptrdiff_t row = good && image.color < 6 ? image.width * kBytes[image.color] : 1;
    const std::ptrdiff_t stride = row + (apart & 15u);
    const std::ptrdiff_t rows = !good                         ? 1
                                : image.color == EDGEEMO_NV12 ? image.height + image.height / 2
                                                              : image.height;
    const std::size_t size = static_cast<std::size_t>((rows - 1) * stride + row);
    picture.bytes = fuzz::exactly(size);
    for (std::size_t i = 0; i < size && choose.size() != 0; ++i)
        picture.bytes[i] = choose.data()[i % choose.size()];
    const bool upwards = (apart & 16u) != 0;
    image.pixels = picture.bytes.get() + (upwards ? (rows - 1) * stride : 0);
    image.row_stride = upwards ? -stride : (apart & 15u) == 0 ? 0 : stride;
    picture.refused = upwards && good && image.color == EDGEEMO_NV12;
    if ((apart & 0xE0u) == 0xE0u) {  // any stride but one that could be right: every call must refuse it
        image.pixels = picture.bytes.get();
        image.row_stride = choose.raw<std::ptrdiff_t>();
        const bool absurd = image.row_stride > INT32_MAX || image.row_stride < -INT32_MAX;
        if (!absurd) image.row_stride %= row;
        picture.refused = good && image.row_stride != 0;
    }
    return picture;
}

void with_a_box(edgeemo_recognizer* recognizer, const edgeemo_image& image, fuzz::Choices& choose,
                fuzz::Answer& answer) {
    double box[4];
    const bool any = choose.byte() % 4 == 0;  // NaN, infinities, whatever
    for (double& x : box)
        x = any ? choose.raw<double>()
                : static_cast<double>(static_cast<std::int16_t>(choose.word())) / 256.0;
    answer.again();
    if (fuzz::done(edgeemo_predict_image(recognizer, &image, box, answer.get()))) answer.check();
}

void every_face(edgeemo_recognizer* recognizer, const edgeemo_image& image, std::uint32_t choice) {
    std::uint32_t n = choice % 5;
    std::vector<edgeemo_result> results(n);
    for (edgeemo_result& result : results) result.struct_size = sizeof result;
    const bool done = fuzz::done(edgeemo_predict_faces(recognizer, &image, results.data(), &n));
    CHECK(n <= results.size());
    for (std::uint32_t i = 1; done && i < n; ++i) CHECK(results[i].face_score <= results[i - 1].face_score);
}

void follow(edgeemo_stream* stream, const edgeemo_image& image, std::int64_t t_ms, fuzz::Answer& answer) {
    const bool done = fuzz::done(edgeemo_stream_push_image(stream, &image, t_ms));
    for (std::int64_t last = 0;;) {
        answer.again();
        const std::int32_t code = edgeemo_stream_next(stream, answer.get());
        if (code == EDGEEMO_NOTHING) return;
        CHECK(done && code == EDGEEMO_OK);
        answer.check();
        if (answer.get()->struct_size < sizeof(edgeemo_result)) continue;
        CHECK(answer.get()->track_id > last && answer.get()->end_ms == t_ms);
        last = answer.get()->track_id;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static edgeemo_recognizer* const recognizer = fuzz::opened("face");
    if (size > 4000) return 0;
    fuzz::Choices choose(data, size);
    fuzz::Answer answer(recognizer, choose.byte());
    edgeemo_face_options options{};
    options.struct_size = sizeof options;
    options.least_hits = static_cast<std::int32_t>(choose.byte() % 4) - 1;
    options.most_gap_ms = static_cast<std::int32_t>(choose.word()) - 100;
    options.smooth_ms = static_cast<std::int32_t>(choose.word()) - 100;
    edgeemo_stream* stream = nullptr;
    fuzz::done(edgeemo_stream_open_faces(recognizer, &options, &stream));
    std::int64_t t_ms = choose.raw<std::int64_t>();
    for (std::int32_t frame = 0; frame < kMostFrames && choose.size() != 0; ++frame) {
        const Picture picture = picture_of(choose);
        const std::uint32_t what = choose.byte();
        answer.again();
        if (picture.refused)
            CHECK(!fuzz::done(edgeemo_predict_image(recognizer, &picture.image, nullptr, answer.get())));
        if ((what & 3u) == 0) {
            answer.again();
            if (fuzz::done(edgeemo_predict_image(recognizer, &picture.image, nullptr, answer.get())))
                answer.check();
            with_a_box(recognizer, picture.image, choose, answer);
        }
        if ((what & 3u) == 1) {
            answer.again();
            if (fuzz::done(edgeemo_predict_front(recognizer, &picture.image, answer.get()))) answer.check();
            every_face(recognizer, picture.image, what >> 2);
        }
        if (stream == nullptr) continue;
        if ((what & 0x70u) == 0x70u) CHECK(edgeemo_stream_reset(stream) == EDGEEMO_OK);
        follow(stream, picture.image, t_ms, answer);
        const auto later = static_cast<std::int64_t>(choose.byte());
        if (t_ms > INT64_MIN + 256 && t_ms < INT64_MAX - 256) t_ms += later - 20;  // back, too
    }
    edgeemo_stream_close(stream);
    return 0;
}
