#include "face/crop.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "edgeemo/errors.h"
#include "face/area.h"

namespace edgeemo {
namespace {

// The memory of a crop. Each thread keeps it for the next crop, so a prediction allocates nothing.
struct Workbench {
    AreaRows rows;
    std::vector<float> row, pixels, lines;
};

Workbench& workbench() {
    thread_local Workbench own;
    return own;
}

// The upright box around a crop.
Box around(const FaceSpec& spec, const Alignment& crop) {
    const double w = spec.width, h = spec.height;
    Box box{crop.x, crop.y, crop.x, crop.y};
    for (const Point corner : {Point{w, 0.0}, Point{0.0, h}, Point{w, h}}) {
        const Point p = crop.to_picture(corner);
        box = {std::min(box.x0, p.x), std::min(box.y0, p.y), std::max(box.x1, p.x), std::max(box.y1, p.y)};
    }
    return box;
}

void check_crop(const Image& image, const FaceSpec& spec, const Alignment& crop) {
    check_image(image);
    const double scale = crop.scale();
    if (!(scale >= 1e-4 && scale <= 1e6 && std::fabs(crop.x) <= 1e9 && std::fabs(crop.y) <= 1e9)) {
        throw InputError(
            "the crop's scale and corner must be finite, its scale in [1e-4, 1e6]; make it with align()");
    }
    const Box box = around(spec, crop);
    if (box.x1 <= 0.0 || box.y1 <= 0.0 || box.x0 >= image.width || box.y0 >= image.height) {
        const auto at = [](double from, double to) { return std::to_string(std::lround((from + to) / 2)); };
        throw InputError("the crop around (" + at(box.x0, box.x1) + ", " + at(box.y0, box.y1) +
                         ") lies wholly outside the picture of " + std::to_string(image.width) + " x " +
                         std::to_string(image.height) +
                         " pixels; check that box and picture belong together");
    }
}

std::size_t channels_of(const FaceSpec& spec) { return spec.channels == FaceSpec::Channels::rgb ? 3 : 1; }

// A row of the tensor, and what loops over three of four or over whole groups of points write beyond it.
float* row_of(const FaceSpec& spec, Workbench& bench) {
    return room(bench.row, static_cast<std::size_t>(spec.width) * channels_of(spec) + kWalkPoints);
}

void upright(const Image& image, const FaceSpec& spec, const Alignment& crop, const CropKernel& kernel,
             const RowSink& sink) {
    Workbench& bench = workbench();
    bench.rows.set(image, spec, {crop.x, crop.y, crop.a, spec.width, spec.height}, channels_of(spec), kernel);
    float* const row = row_of(spec, bench);
    for (std::size_t i = 0; i < static_cast<std::size_t>(spec.height); ++i) {
        bench.rows.row(i, row);
        sink(i, row);
    }
}

// Upright pixels under a turned crop, and at least one more on each side, beyond the border, too.
Grid grid_under(const Image& image, const FaceSpec& spec, const Alignment& crop) {
    const double step = std::max(1.0, crop.scale() / 2.0);
    const Box box = around(spec, crop);
    const double x = std::floor(std::max(box.x0 - step, -step)),
                 y = std::floor(std::max(box.y0 - step, -step));
    const double right = std::min(box.x1 + step, image.width + step);
    const double bottom = std::min(box.y1 + step, image.height + step);
    const auto columns = static_cast<std::int32_t>(std::ceil((right - x) / step));
    return {x, y, step, std::max(2, columns),
            std::max(2, static_cast<std::int32_t>(std::ceil((bottom - y) / step)))};
}

std::int64_t fixed(double x) { return static_cast<std::int64_t>(std::floor(x * 4294967296.0 + 0.5)); }

// Lines of points through a grid, `parts` to a crop pixel's side.
class Lines {
  public:
    Lines(const Grid& grid, const Alignment& crop, double parts)
        : grid_(grid), crop_(crop), parts_(parts), walk_{} {
        walk_.dx = fixed(crop.a / (parts * grid.step));
        walk_.dy = fixed(crop.b / (parts * grid.step));
        for (std::size_t k = 0; k < kWalkPoints; ++k) {
            const auto steps = static_cast<std::int64_t>(k);
            walk_.x_ahead[k] = static_cast<std::int32_t>((walk_.dx * steps) >> (32 - kWalkBits));
            walk_.y_ahead[k] = static_cast<std::int32_t>((walk_.dy * steps) >> (32 - kWalkBits));
        }
    }

    const Walk& line(std::size_t i) {
        const Point from = crop_.to_picture({0.5 / parts_, (static_cast<double>(i) + 0.5) / parts_});
        walk_.x = fixed((from.x - grid_.x) / grid_.step - 0.5);
        walk_.y = fixed((from.y - grid_.y) / grid_.step - 0.5);
        return walk_;
    }

  private:
    Grid grid_;
    Alignment crop_;
    double parts_;
    Walk walk_;
};

// The picture on a grid, as walks want it.
Floats2d under(const Image& image, const FaceSpec& spec, const Grid& grid, const CropKernel& kernel) {
    const bool gray = channels_of(spec) == 1;
    const auto columns = static_cast<std::size_t>(grid.columns), rows = static_cast<std::size_t>(grid.rows);
    const std::size_t pitch = columns * (gray ? 2 : 4);
    Workbench& bench = workbench();
    float* const pixels = room(bench.pixels, pitch * rows);
    bench.rows.set(image, spec, grid, gray ? 1 : 4, kernel);
    if (gray) {
        float *above = room(bench.lines, 2 * columns), *below = above + columns;
        bench.rows.row(0, above);
        for (std::size_t i = 1; i < rows; ++i) {
            bench.rows.row(i, below);
            kernel.beside(above, below, columns, pixels + (i - 1) * pitch);
            std::swap(above, below);
        }
    } else {
        for (std::size_t i = 0; i < rows; ++i) bench.rows.row(i, pixels + i * pitch);
    }
    return {pixels, grid.columns, grid.rows};
}

void turned(const Image& image, const FaceSpec& spec, const Alignment& crop, const CropKernel& kernel,
            const RowSink& sink) {
    const Grid grid = grid_under(image, spec, crop);
    const Floats2d picture = under(image, spec, grid, kernel);
    const std::size_t channels = channels_of(spec), floats = channels == 3 ? 4 : 1;
    const auto walk = floats == 4 ? kernel.walk4 : kernel.walk;
    const auto width = static_cast<std::size_t>(spec.width);
    Workbench& bench = workbench();
    float* const row = row_of(spec, bench);
    const bool finer = crop.scale() <= 1.0;
    Lines points(grid, crop, finer ? 1.0 : 2.0);
    float* const top = room(bench.lines, 4 * width * floats + kWalkPoints);
    float* const bottom = top + 2 * width * floats;
    for (std::size_t i = 0; i < static_cast<std::size_t>(spec.height); ++i) {
        if (finer) {
            walk(picture, points.line(i), width, channels, row);
        } else {
            walk(picture, points.line(2 * i), 2 * width, floats, top);
            walk(picture, points.line(2 * i + 1), 2 * width, floats, bottom);
            kernel.halve(top, bottom, width, floats, row);
        }
        sink(i, row);
    }
}

}  // namespace

void crop_rows(const Image& image, const FaceSpec& spec, const Alignment& crop, const CropKernel& kernel,
               const RowSink& sink) {
    check_crop(image, spec, crop);
    const bool level = crop.b == 0.0 && crop.a > 0.0;
    (level ? upright : turned)(image, spec, crop, kernel, sink);
}

}  // namespace edgeemo
