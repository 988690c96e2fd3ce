#include <cmath>
#include <limits>
#include <thread>
#include <vector>

#include "check.h"
#include "edgeemo/errors.h"
#include "edgeemo/face.h"
#include "edgeemo/quant.h"
#include "face/crop.h"
#include "face/face_fields.h"
#include "face_picture.h"

namespace {

using edgeemo::Alignment;
using edgeemo::Box;
using edgeemo::Color;
using edgeemo::Eyes;
using edgeemo::FaceFrontend;
using edgeemo::FaceSpec;
using edgeemo::Image;
using edgeemo::InputError;
using edgeemo::SpecError;

using Floats = std::vector<float>;

constexpr Color kColors[] = {Color::gray, Color::rgb, Color::bgr, Color::rgba, Color::yuyv, Color::nv12};

Floats compute(const FaceFrontend& frontend, const Image& image, const Alignment& crop) {
    Floats out(frontend.spec().size());
    frontend.compute(image, crop, out.data());
    return out;
}

void the_numbers_are_those_of_every_machine() {
    int wrong = 0;
    for (const Golden& golden : goldens()) {
        const FaceFrontend frontend(golden.spec);
        const Picture picture = synthetic(golden.color, 320, 200, 1);
        Floats all;
        for (const Alignment& crop : places(frontend)) {
            const Floats tensor = compute(frontend, picture.image, crop);
            all.insert(all.end(), tensor.begin(), tensor.end());
        }
        const std::uint64_t hash = hash_of(all);
        if (hash != golden.hash) {
            std::fprintf(stderr, "%s of %s: 0x%016llx\n", golden.name, name_of(golden.color),
                         static_cast<unsigned long long>(hash));
        }
        wrong += hash != golden.hash ? 1 : 0;
    }
    CHECK(wrong == 0);
}

void every_kernel_gives_the_same_bits() {
    for (const std::int32_t side : {8, 31, 64, 150}) {
        FaceSpec spec;
        spec.width = side;
        spec.height = side + 3;
        for (const auto channels : {FaceSpec::Channels::gray, FaceSpec::Channels::rgb}) {
            spec.channels = channels;
            const std::size_t n = spec.size() / static_cast<std::size_t>(spec.height);
            for (const Color color : kColors) {
                const Picture picture = synthetic(color, 320, 200, 2);
                for (const Alignment& crop : places(FaceFrontend(spec))) {
                    std::vector<Floats> all;
                    for (const edgeemo::CropKernel* kernel : edgeemo::crop_kernels()) {
                        Floats rows;
                        crop_rows(picture.image, spec, crop, *kernel, [&](std::size_t, const float* values) {
                            rows.insert(rows.end(), values, values + n);
                        });
                        all.push_back(rows);
                    }
                    for (const Floats& rows : all) CHECK(same_bits(rows, all.front()));
                }
            }
        }
    }
}

void every_kernel_quantizes_by_the_one_rule() {
    Floats values;
    for (int i = -4100; i <= 4100; ++i) values.push_back(static_cast<float>(i) / 16.0F);  // halves, too
    values.push_back(std::nextafter(0.5F, 1.0F));
    values.push_back(std::nextafter(0.5F, 0.0F));
    values.push_back(1e30F);
    values.push_back(-1e30F);
    for (const float scale : {1.0F, 0.5F, 0.1F, 3e-38F, 1e30F}) {
        for (const std::int32_t zero_point : {-128, -3, 0, 127}) {
            std::vector<std::int8_t> expected(values.size());
            edgeemo::quantize(values.data(), values.size(), scale, zero_point, expected.data());
            for (const edgeemo::CropKernel* kernel : edgeemo::crop_kernels()) {
                std::vector<std::int8_t> q(values.size());
                kernel->to_int8(values.data(), values.size(), {0.0F, 1.0F}, scale, zero_point, q.data());
                CHECK(q == expected);
            }
        }
    }
}

// The bytes lie in memory of exactly their size, so that the sanitizer sees what reads beyond.
void nothing_is_read_beyond_the_picture() {
    for (const auto channels : {FaceSpec::Channels::gray, FaceSpec::Channels::rgb}) {
        FaceSpec spec;
        spec.width = spec.height = 9;
        spec.channels = channels;
        const FaceFrontend frontend(spec);
        for (const Color color : kColors) {
            for (const std::int32_t side : {2, 4, 6, 34}) {
                const Picture picture = synthetic(color, side, side, 3);
                const double s = side;
                for (const Box& box : {Box{0, 0, s, s}, Box{-3, -3, s + 3, s + 3}, Box{s - 1, s - 1, s, s},
                                       Box{-1e5, -1e5, 1e5, 1e5}}) {
                    for (const Eyes& eyes :
                         {Eyes{{{0, 0}, {2, 0}}}, Eyes{{{0, 0}, {2, 1}}}, Eyes{{{0, 9}, {2, 0}}}}) {
                        const Alignment crop = eyes[1].y == 0.0 && eyes[0].y == 0.0
                                                   ? frontend.align(box)
                                                   : frontend.align(box, eyes);
                        for (const float x : compute(frontend, picture.image, crop))
                            CHECK(x >= 0.0F && x <= 1.0001F);
                    }
                }
            }
        }
    }
}

void strides_do_not_show() {
    const FaceFrontend frontend(FaceSpec{});
    const Picture picture = synthetic(Color::rgb, 40, 30, 4);
    std::vector<std::uint8_t> backwards(picture.bytes.rbegin(), picture.bytes.rend());
    Image image = picture.image;
    image.pixels = backwards.data() + backwards.size() - 1;
    image.row_stride = -image.row_stride;
    image.pixel_stride = -3;
    image.channel_stride = -1;
    for (const Alignment& crop :
         {frontend.align(Box{0, 0, 40, 30}), frontend.align(Eyes{{{10, 10}, {20, 12}}})}) {
        CHECK(same_bits(compute(frontend, image, crop), compute(frontend, picture.image, crop)));
    }
}

void bad_input_is_named() {
    const FaceFrontend frontend(FaceSpec{});
    const double nan = std::numeric_limits<double>::quiet_NaN();
    const auto box = [&](const Box& b) { return message_of<InputError>([&] { frontend.align(b); }); };
    CHECK(box({0, 0, nan, 1}).find("not finite") != std::string::npos);
    CHECK(box({9, 0, 0, 9}).find("is inverted or thinner than a pixel") != std::string::npos);
    const auto eyes = [&](const Eyes& e) { return message_of<InputError>([&] { frontend.align(e); }); };
    CHECK(eyes({{{5, 5}, {5, 5}}}).find("less than a pixel apart") != std::string::npos);
    CHECK(eyes({{{9, 5}, {5, 5}}}).find("not in picture order") != std::string::npos);

    const Picture picture = synthetic(Color::rgb, 40, 30, 5);
    const auto image = [&](std::int32_t width, std::int32_t height, Color color) {
        const Image bad{picture.bytes.data(), width, height, color, 120, 3, 1};
        return message_of<InputError>([&] { compute(frontend, bad, {1.0, 0.0, 0.0, 0.0}); });
    };
    CHECK(image(0, 3, Color::rgb).find("the picture is empty (0 x 3 pixels)") == 0);
    CHECK(image(40000, 3, Color::rgb).find("a side may have 32768") != std::string::npos);
    CHECK(image(3, 4, Color::yuyv).find("yuyv pictures have an even width") == 0);
    CHECK(image(4, 3, Color::nv12).find("nv12 pictures have an even width and height") == 0);
    const auto crop = [&](const Alignment& at) {
        return message_of<InputError>([&] { compute(frontend, picture.image, at); });
    };
    CHECK(crop({1.0, 0.0, 40.0, 0.0}).find("wholly outside") != std::string::npos);
    CHECK(crop({0.0, 0.0, 0.0, 0.0}).find("must be finite") != std::string::npos);
    CHECK(crop({1.0, nan, 0.0, 0.0}).find("must be finite") != std::string::npos);

    FaceSpec spec;
    spec.width = 7;
    CHECK(message_of<SpecError>([&] { FaceFrontend f(spec); }) == "width must be in [8, 512], got 7");
    CHECK(message_of<SpecError>([&] { set_by_name("channels", "blue", spec.channels); }) ==
          "channels must be 'gray' or 'rgb', got 'blue'");
}

void threads_share_a_frontend() {
    const FaceFrontend frontend(FaceSpec{});
    const Picture picture = synthetic(Color::nv12, 320, 200, 6);
    std::vector<Floats> expected;
    for (const Alignment& crop : places(frontend)) expected.push_back(compute(frontend, picture.image, crop));
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            std::size_t at = 0;
            for (const Alignment& crop : places(frontend)) {
                CHECK(same_bits(compute(frontend, picture.image, crop), expected[at++]));
            }
        });
    }
    for (std::thread& thread : threads) thread.join();
}

}  // namespace

int main() {
    the_numbers_are_those_of_every_machine();
    every_kernel_gives_the_same_bits();
    every_kernel_quantizes_by_the_one_rule();
    nothing_is_read_beyond_the_picture();
    strides_do_not_show();
    bad_input_is_named();
    threads_share_a_frontend();
}
