#include "edgeemo/image.h"

#include <array>
#include <string>

#include "edgeemo/errors.h"

namespace edgeemo {
namespace {

constexpr std::array<const char*, 6> kColors{"gray", "rgb", "bgr", "rgba", "yuyv", "nv12"};

}  // namespace

const char* name_of(Color value) { return kColors[static_cast<std::size_t>(value)]; }

void set_by_name(std::string_view name, Color& value) {
    for (std::size_t i = 0; i < kColors.size(); ++i) {
        if (name == kColors[i]) {
            value = static_cast<Color>(i);
            return;
        }
    }
    throw InputError("color must be 'gray', 'rgb', 'bgr', 'rgba', 'yuyv' or 'nv12', got '" +
                     std::string(name) + "'; name the order in which the picture's bytes come");
}

std::int32_t channels_of(Color value) {
    constexpr std::array<std::int32_t, 6> kChannels{1, 3, 3, 4, 2, 1};
    return kChannels[static_cast<std::size_t>(value)];
}

void check_image(const Image& image) {
    const std::string size = std::to_string(image.width) + " x " + std::to_string(image.height);
    if (image.width < 1 || image.height < 1) {
        throw InputError("the picture is empty (" + size +
                         " pixels); check that the camera or file gave one");
    }
    if (image.width > kMostSide || image.height > kMostSide) {
        throw InputError("the picture has " + size + " pixels, a side may have " + std::to_string(kMostSide) +
                         "; pass a part of it or shrink it first");
    }
    const bool even_width = image.color == Color::yuyv || image.color == Color::nv12;
    if ((even_width && image.width % 2 != 0) || (image.color == Color::nv12 && image.height % 2 != 0)) {
        throw InputError(std::string(name_of(image.color)) + " pictures have an even " +
                         (image.color == Color::nv12 ? "width and height" : "width") + ", got " + size +
                         " pixels; pass the frame as the camera gave it");
    }
}

}  // namespace edgeemo
