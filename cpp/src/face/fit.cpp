#include "edgeemo/fit.h"

namespace edgeemo {

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
