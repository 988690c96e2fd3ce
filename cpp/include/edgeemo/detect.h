// From the heads of a face detector to faces in a picture.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "edgeemo/face.h"

namespace edgeemo {

// One face that a detector found, in pixels of the picture.
struct Face {
    Box box;
    Eyes eyes;           // in picture order: left, right
    double score = 0.0;  // calibrated probability of a face
};

bool operator==(const Face& a, const Face& b);

// A finder of faces in a picture: our FaceDetector, or an object of the caller.
class FaceFinder {
  public:
    virtual ~FaceFinder() = default;

    // The faces of the picture into `found`, the best first, in pixels of the picture. Scores are
    // probabilities. Several threads may call this at a time.
    virtual void detect(const Image& image, std::vector<Face>& found) const = 0;
};

// The face that a picture is of: the largest area times score, the first of equals. Null if there is none.
const Face* in_front(const std::vector<Face>& faces);

// The detector's input is a FaceFrontend's crop of width x height pixels. Over it lie grids of cells, with
// strides from least_stride, doubled, to most_stride. Heads speak of all cells: grid after grid, row after
// row.
//
//   logits (cells)     of a face with its middle in the cell.
//   boxes  (cells, 4)  dx, dy, w, h.
//   eyes   (cells, 4)  x, y of the left and the right eye.
//
// A box's middle lies (column + 0.5 + dx, row + 0.5 + dy) strides from the corner. The box is e^w strides
// wide and e^h high, with w and h within -4 … 8. Eyes are relative to that middle, in widths and heights of
// the box.
//
// The heads are three tensors, because an int8 tensor has one scale. Positions relative to the box take the
// same few steps at every size of the box.
struct DetectorSpec {
    enum class Merge { best, mean };

    std::int32_t width = 128;  // pixels of the input: 32 to 512, multiples of most_stride
    std::int32_t height = 128;
    std::int32_t least_stride = 8;  // powers of two, 4 to 64
    std::int32_t most_stride = 16;
    double score_scale = 1.0;  // a face's score is sigmoid(scale * logit + bias): 1e-3 to 1e3, -100 to 100
    double score_bias = 0.0;
    double least_score = 0.5;  // below it nothing is a face, 0.001 to 0.999
    double overlap = 0.3;      // intersection over union from which two boxes are one face, 0.05 to 0.95
    Merge merge =
        Merge::mean;  // one face is its best box, or the mean of its boxes and eyes weighed by their scores
    std::int32_t most_faces = 64;  // 1 to 256; the best are kept

    std::size_t cells() const;
    void validate() const;       // throws SpecError
    std::string digest() const;  // 16 hexadecimal digits, equal exactly for equal specs
};

bool operator==(const DetectorSpec& a, const DetectorSpec& b);
bool operator!=(const DetectorSpec& a, const DetectorSpec& b);

// The share of the area of both that both have, 0 to 1.
double intersection_over_union(const Box& a, const Box& b);

// Immutable; any number of threads may share one.
class FaceDecoder {
  public:
    static constexpr std::size_t kMostCandidates =
        512;  // cells looked at, the best, equal ones in their order

    // A cell that may hold a face; `sum` is what its score is the sigmoid of.
    struct Candidate {
        std::size_t cell;
        double sum;
    };
    // The memory of decoding. A scratch that is used again takes no more memory.
    struct Scratch {
        std::vector<Candidate> candidates;
        std::vector<Face> faces, same;
        std::vector<bool> taken;
    };

    explicit FaceDecoder(const DetectorSpec& spec);  // throws SpecError

    const DetectorSpec& spec() const { return spec_; }

    // Faces by falling score, at most most_faces, moved from the crop into the picture (boxes stay upright).
    // Greedy: the best candidate and all that overlap with it are one face. Throws InputError for NaN.
    void decode(const float* logits, const float* boxes, const float* eyes, const Alignment& crop,
                Scratch& scratch, std::vector<Face>& found) const;
    std::vector<Face> decode(const float* logits, const float* boxes, const float* eyes,
                             const Alignment& crop) const;

  private:
    void suppress(Scratch& scratch, std::vector<Face>& kept) const;

    DetectorSpec spec_;
    double least_sum_;  // scale * logit + bias at least_score
};

}  // namespace edgeemo
