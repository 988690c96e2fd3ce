// Pictures from integers, and the answers that every machine gives for them.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "edgeemo/face.h"

// Bytes of a picture and the view of them.
struct Picture {
    std::vector<std::uint8_t> bytes;
    edgeemo::Image image;
};

// Ramps, a grid and noise.
inline Picture synthetic(edgeemo::Color color, std::int32_t width, std::int32_t height, std::uint32_t seed) {
    const std::int32_t channels = edgeemo::channels_of(color);
    const std::int32_t rows = color == edgeemo::Color::nv12 ? height * 3 / 2 : height;
    Picture picture;
    std::uint32_t noise = seed * 2654435761u + 1u;
    for (std::int32_t y = 0; y < rows; ++y) {
        for (std::int32_t x = 0; x < width; ++x) {
            for (std::int32_t c = 0; c < channels; ++c) {
                noise = noise * 1664525u + 1013904223u;
                const std::int32_t grid = (x / 7 + y / 5 + c) % 2 * 60;
                const auto value = static_cast<std::uint32_t>(x * (c + 1) / 3 + y + grid) + (noise >> 27);
                picture.bytes.push_back(static_cast<std::uint8_t>(value & 255u));
            }
        }
    }
    picture.image = {picture.bytes.data(), width, height, color, width * channels, channels, 1};
    return picture;
}

inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() &&
           (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

// FNV-1a over the bits, little end first.
inline std::uint64_t hash_of(const std::vector<float>& floats) {
    std::uint64_t hash = 14695981039346656037u;
    for (const float x : floats) {
        std::uint32_t bits = 0;
        std::memcpy(&bits, &x, sizeof bits);
        for (int byte = 0; byte < 4; ++byte) hash = (hash ^ (bits >> (8 * byte) & 0xffu)) * 1099511628211u;
    }
    return hash;
}

// Shrunk, enlarged, over the border, turned and shrunk, turned a little shrunk, turned and enlarged.
inline std::vector<edgeemo::Alignment> places(const edgeemo::FaceFrontend& f) {
    using edgeemo::Box;
    using edgeemo::Eyes;
    return {f.align(Box{20.3, 11.7, 301.2, 190.4}),         f.align(Box{40.5, 30.25, 58.0, 49.0}),
            f.align(Box{-50.0, 100.0, 150.0, 300.0}),       f.align(Eyes{{{100.0, 80.0}, {200.0, 107.0}}}),
            f.align(Eyes{{{120.0, 80.5}, {150.0, 71.25}}}), f.align(Eyes{{{280.0, 80.0}, {291.0, 83.0}}})};
}

struct Golden {
    const char* name;
    edgeemo::FaceSpec spec;
    edgeemo::Color color;
    std::uint64_t hash;  // of the tensors of all places; a change is a change of kFaceFrontendVersion
};

inline std::vector<Golden> goldens() {
    using edgeemo::Color;
    using edgeemo::FaceSpec;
    FaceSpec gray;
    gray.width = 48;
    gray.height = 56;
    FaceSpec rgb = gray;
    rgb.channels = FaceSpec::Channels::rgb;
    rgb.border = FaceSpec::Border::black;
    FaceSpec level = rgb;
    level.border = FaceSpec::Border::replicate;
    level.normalization = FaceSpec::Normalization::mean_std;
    return {{"gray", gray, Color::rgb, 0x4610471da18663c6u},
            {"gray", gray, Color::gray, 0x1f24b0fed27fa0e2u},
            {"gray", gray, Color::yuyv, 0x29deb94b7fb9c771u},
            {"rgb", rgb, Color::rgb, 0x33776b1b50088b3cu},
            {"rgb", rgb, Color::bgr, 0xbc226007af61dbccu},
            {"rgb", rgb, Color::rgba, 0x71a8cdc2cbd33f4cu},
            {"rgb", rgb, Color::yuyv, 0x09b4f7a50238d776u},
            {"rgb", rgb, Color::nv12, 0x2a826723dfd1a48eu},
            {"level", level, Color::rgb, 0x5c0a6c074d2b5da1u},
            {"level", level, Color::gray, 0x106c184465330bedu}};
}
