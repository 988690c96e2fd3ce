#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <string>

#include "base/specs.h"
#include "edgeemo/errors.h"
#include "edgeemo/face.h"
#include "edgeemo/fit.h"

namespace edgeemo {
namespace {

constexpr double kFar = 1e6;  // pixels; farther out nobody's box lies

std::string shown(const Box& b) {
    return "(" + text_of(b.x0) + ", " + text_of(b.y0) + ", " + text_of(b.x1) + ", " + text_of(b.y1) + ")";
}

std::string shown(const Eyes& e) {
    return "((" + text_of(e[0].x) + ", " + text_of(e[0].y) + "), (" + text_of(e[1].x) + ", " +
           text_of(e[1].y) + "))";
}

bool near_all(std::initializer_list<double> values) {
    return std::all_of(values.begin(), values.end(),
                       [](double v) { return std::fabs(v) <= kFar; });  // NaN is not
}

void check_box(const Box& b) {
    if (!near_all({b.x0, b.y0, b.x1, b.y1})) {
        throw InputError("the box " + shown(b) +
                         " is not finite or a million pixels away; give it in pixels");
    }
    if (b.x1 - b.x0 < 1.0 || b.y1 - b.y0 < 1.0) {
        throw InputError(
            "the box " + shown(b) +
            " is inverted or thinner than a pixel; give (x0, y0, x1, y1) with x0 < x1 and y0 < y1");
    }
}

double distance_of(const Eyes& e) {
    const double dx = e[1].x - e[0].x, dy = e[1].y - e[0].y;
    return std::sqrt(dx * dx + dy * dy);
}

bool near_enough(const Eyes& e) { return near_all({e[0].x, e[0].y, e[1].x, e[1].y}); }

void check_eyes(const Eyes& e) {
    if (!near_enough(e)) {
        throw InputError("the eyes " + shown(e) +
                         " are not finite or a million pixels away; give them in pixels");
    }
    if (distance_of(e) < 1.0) {
        throw InputError("the eyes " + shown(e) + " are less than a pixel apart; pass the box alone");
    }
    if (e[1].x < e[0].x) {
        throw InputError("the eyes " + shown(e) +
                         " are not in picture order; give the one farther left first");
    }
}

// Crop point (u, v) at (x, y) of the picture.
Alignment around(double a, double b, double u, double v, double x, double y) {
    return {a, b, x - (a * u - b * v), y - (b * u + a * v)};
}

double scale_of(const Box& box, const FaceSpec& spec) {
    return std::max((box.x1 - box.x0) / spec.width, (box.y1 - box.y0) / spec.height) * spec.box_scale;
}

}  // namespace

bool tell_the_turn(const Eyes& e) { return near_enough(e) && distance_of(e) >= 1.0 && e[1].x >= e[0].x; }

double Alignment::scale() const { return std::sqrt(a * a + b * b); }

Point Alignment::to_crop(const Point& p) const {
    const double square = a * a + b * b, dx = p.x - x, dy = p.y - y;
    return {(a * dx + b * dy) / square, (a * dy - b * dx) / square};
}

Alignment FaceFrontend::align(const Box& box) const {
    check_box(box);
    return around(scale_of(box, spec_), 0.0, spec_.width * 0.5, spec_.height * 0.5, (box.x0 + box.x1) * 0.5,
                  (box.y0 + box.y1) * 0.5);
}

Alignment FaceFrontend::align(const Eyes& eyes) const {
    check_eyes(eyes);
    const double wanted = spec_.eye_distance * spec_.width;
    return around((eyes[1].x - eyes[0].x) / wanted, (eyes[1].y - eyes[0].y) / wanted, spec_.width * 0.5,
                  spec_.height * spec_.eye_y, (eyes[0].x + eyes[1].x) * 0.5, (eyes[0].y + eyes[1].y) * 0.5);
}

Alignment FaceFrontend::align(const Box& box, const Eyes& eyes) const {
    check_box(box);
    check_eyes(eyes);
    const double distance = distance_of(eyes), scale = scale_of(box, spec_);
    return around(scale * ((eyes[1].x - eyes[0].x) / distance), scale * ((eyes[1].y - eyes[0].y) / distance),
                  spec_.width * 0.5, spec_.height * 0.5, (box.x0 + box.x1) * 0.5, (box.y0 + box.y1) * 0.5);
}

bool usable(const Face& face, std::int32_t width, std::int32_t height) {
    const Box& b = face.box;
    const double x = (b.x0 + b.x1) / 2.0, y = (b.y0 + b.y1) / 2.0;
    const bool big = b.x1 - b.x0 >= 1.0 && b.y1 - b.y0 >= 1.0;
    const bool inside = x >= 0.0 && x <= width && y >= 0.0 && y <= height;
    return face.score > 0.0 && big && inside;  // all false of NaN
}

Alignment fitted(const FaceFrontend& frontend, const Face& face, const Fit& fit) {
    const Alignment crop =
        tell_the_turn(face.eyes) ? frontend.align(face.box, face.eyes) : frontend.align(face.box);
    const double u = frontend.spec().width / 2.0, v = frontend.spec().height / 2.0;
    const double a = crop.a * fit.over_box, b = crop.b * fit.over_box;
    const Point middle = crop.to_picture({u, v});
    const double up = 1.0 - 2.0 * fit.down;
    return {a, b, middle.x - a * u + b * v * up, middle.y - b * u - a * v * up};
}

Face given(const FaceFrontend& frontend, const Box& box) {
    const FaceSpec& spec = frontend.spec();
    const Alignment crop = frontend.align(box);
    const double y = spec.eye_y * spec.height, half = spec.eye_distance / 2.0;
    return {
        box,
        {crop.to_picture({(0.5 - half) * spec.width, y}), crop.to_picture({(0.5 + half) * spec.width, y})},
        1.0};
}

}  // namespace edgeemo
