#include "edgeemo/detect.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/exact_math.h"
#include "edgeemo/errors.h"

namespace edgeemo {
namespace {

double area_of(const Box& b) { return (b.x1 - b.x0) * (b.y1 - b.y0); }

double sigmoid(double x) { return 1.0 / (1.0 + exact::exp(-std::clamp(x, -40.0, 40.0))); }

[[noreturn]] void refuse_nan(std::size_t cell) {
    throw InputError("a head of the detector has NaN at cell " + std::to_string(cell) +
                     "; check the model and that its outputs are named right");
}

// The corner of a cell in the input, and its stride.
struct Cell {
    double x, y, stride;
};

Cell cell_of(const DetectorSpec& spec, std::size_t index) {
    std::int32_t stride = spec.least_stride;
    for (;; stride *= 2) {
        const auto columns = static_cast<std::size_t>(spec.width / stride);
        const std::size_t n = columns * static_cast<std::size_t>(spec.height / stride);
        if (index < n) {
            return {static_cast<double>(index % columns), static_cast<double>(index / columns),
                    static_cast<double>(stride)};
        }
        index -= n;
    }
}

double side_of(double log_side, double stride) {
    return stride * exact::exp(std::clamp(log_side, -4.0, 8.0));
}

// In pixels of the input.
Face face_of(const Cell& cell, const float* box, const float* eyes, double score) {
    const double x = (cell.x + 0.5 + static_cast<double>(box[0])) * cell.stride;
    const double y = (cell.y + 0.5 + static_cast<double>(box[1])) * cell.stride;
    const double w = side_of(static_cast<double>(box[2]), cell.stride);
    const double h = side_of(static_cast<double>(box[3]), cell.stride);
    Face face;
    face.box = {x - w * 0.5, y - h * 0.5, x + w * 0.5, y + h * 0.5};
    for (std::size_t i = 0; i < 2; ++i) {
        face.eyes[i] = {x + static_cast<double>(eyes[2 * i]) * w,
                        y + static_cast<double>(eyes[2 * i + 1]) * h};
    }
    face.score = score;
    return face;
}

void add(Face& sum, const Face& face, double weight) {
    sum.box.x0 += face.box.x0 * weight;
    sum.box.y0 += face.box.y0 * weight;
    sum.box.x1 += face.box.x1 * weight;
    sum.box.y1 += face.box.y1 * weight;
    for (std::size_t i = 0; i < 2; ++i) {
        sum.eyes[i].x += face.eyes[i].x * weight;
        sum.eyes[i].y += face.eyes[i].y * weight;
    }
}

// Weighed by score; it has the score of the first, the best.
Face mean_of(const std::vector<Face>& faces) {
    double weights = 0.0;
    for (const Face& face : faces) weights += face.score;
    Face mean;
    for (const Face& face : faces) add(mean, face, face.score / weights);
    mean.score = faces.front().score;
    return mean;
}

// The box stays upright: its middle moves, its sides grow.
Face to_picture(const Face& face, const Alignment& crop) {
    const Box& b = face.box;
    const Point middle = crop.to_picture({(b.x0 + b.x1) * 0.5, (b.y0 + b.y1) * 0.5});
    const double w = (b.x1 - b.x0) * 0.5 * crop.scale(), h = (b.y1 - b.y0) * 0.5 * crop.scale();
    Eyes eyes{crop.to_picture(face.eyes[0]), crop.to_picture(face.eyes[1])};
    if (eyes[1].x < eyes[0].x) std::swap(eyes[0], eyes[1]);
    return {{middle.x - w, middle.y - h, middle.x + w, middle.y + h}, eyes, face.score};
}

}  // namespace

bool operator==(const Face& a, const Face& b) {
    const auto same = [](const Point& p, const Point& q) { return p.x == q.x && p.y == q.y; };
    return a.box.x0 == b.box.x0 && a.box.y0 == b.box.y0 && a.box.x1 == b.box.x1 && a.box.y1 == b.box.y1 &&
           same(a.eyes[0], b.eyes[0]) && same(a.eyes[1], b.eyes[1]) && a.score == b.score;
}

const Face* in_front(const std::vector<Face>& faces) {
    const Face* best = nullptr;
    for (const Face& face : faces) {
        if (best == nullptr || area_of(face.box) * face.score > area_of(best->box) * best->score)
            best = &face;
    }
    return best;
}

double intersection_over_union(const Box& a, const Box& b) {
    const double w = std::min(a.x1, b.x1) - std::max(a.x0, b.x0),
                 h = std::min(a.y1, b.y1) - std::max(a.y0, b.y0);
    if (w <= 0.0 || h <= 0.0) return 0.0;
    return w * h / (area_of(a) + area_of(b) - w * h);
}

FaceDecoder::FaceDecoder(const DetectorSpec& spec)
    : spec_((spec.validate(), spec)), least_sum_(exact::log(spec.least_score / (1.0 - spec.least_score))) {}

// The faces of `scratch` come by falling score.
void FaceDecoder::suppress(Scratch& scratch, std::vector<Face>& kept) const {
    const std::vector<Face>& faces = scratch.faces;
    scratch.taken.assign(faces.size(), false);
    for (std::size_t i = 0; i < faces.size() && kept.size() < static_cast<std::size_t>(spec_.most_faces);
         ++i) {
        if (scratch.taken[i]) continue;
        scratch.same.assign(1, faces[i]);
        for (std::size_t k = i + 1; k < faces.size(); ++k) {
            if (scratch.taken[k] || intersection_over_union(faces[i].box, faces[k].box) < spec_.overlap)
                continue;
            scratch.taken[k] = true;
            scratch.same.push_back(faces[k]);
        }
        kept.push_back(spec_.merge == DetectorSpec::Merge::mean ? mean_of(scratch.same) : faces[i]);
    }
}

void FaceDecoder::decode(const float* logits, const float* boxes, const float* eyes, const Alignment& crop,
                         Scratch& scratch, std::vector<Face>& found) const {
    std::vector<Candidate>& candidates = scratch.candidates;
    candidates.clear();
    for (std::size_t i = 0; i < spec_.cells(); ++i) {
        const double sum = static_cast<double>(logits[i]) * spec_.score_scale + spec_.score_bias;
        if (std::isnan(sum)) refuse_nan(i);
        if (sum >= least_sum_) candidates.push_back({i, sum});
    }
    std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
        return a.sum != b.sum ? a.sum > b.sum : a.cell < b.cell;
    });
    if (candidates.size() > kMostCandidates) candidates.resize(kMostCandidates);

    scratch.faces.clear();
    for (const auto& [cell, sum] : candidates) {
        const float *const box = boxes + 4 * cell, *const points = eyes + 4 * cell;
        for (std::size_t k = 0; k < 4; ++k) {
            if (!std::isfinite(box[k]) || !std::isfinite(points[k])) refuse_nan(cell);
        }
        scratch.faces.push_back(face_of(cell_of(spec_, cell), box, points, sigmoid(sum)));
    }
    found.clear();
    suppress(scratch, found);
    for (Face& face : found) face = to_picture(face, crop);
}

std::vector<Face> FaceDecoder::decode(const float* logits, const float* boxes, const float* eyes,
                                      const Alignment& crop) const {
    Scratch scratch;
    std::vector<Face> found;
    decode(logits, boxes, eyes, crop, scratch, found);
    return found;
}

}  // namespace edgeemo
