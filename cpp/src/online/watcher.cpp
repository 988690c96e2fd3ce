// Faces: found, read, followed.
#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "edgeemo/errors.h"
#include "edgeemo/fit.h"
#include "edgeemo/recognizer.h"
#include "online/recognizer_parts.h"

namespace edgeemo {
namespace {

void find(RecognizerParts& parts, const Image& image, std::vector<Face>& found) {
    const std::shared_ptr<const FaceFinder> finder = parts.finder();
    {
        const StageClock::Whole stage(Stage::detect);
        finder->detect(image, found);
    }
    const auto is_none = [&](const Face& face) { return !usable(face, image.width, image.height); };
    found.erase(std::remove_if(found.begin(), found.end(), is_none), found.end());
}

void read(RecognizerParts& parts, const Image& image, const Alignment& crop, const Face& face, Result& out) {
    parts.read_crop(image, crop, [&](const float* row, const float*) { parts.fill(row, out); });
    out.evidence = std::clamp(face.score, 0.0, 1.0);
    out.face = face;
}

}  // namespace

void RecognizerParts::nobody(Result& out) const {
    fill(neutral.data(), out);
    out.evidence = 0.0;
}

std::shared_ptr<const FaceFinder> RecognizerParts::finder() {
    expect(Modality::face);
    model->check_usable();
    const std::lock_guard<std::mutex> lock(finder_mutex);
    if (found_by) return found_by;
    try {
        if (finder_path.empty()) throw BundleNotFoundError("There is no detector.");
        found_by = std::make_shared<FaceDetector>(FaceDetector::open(finder_path, finder_options));
    } catch (const BundleNotFoundError& error) {
        throw BundleNotFoundError(std::string(error.what()) + " Put face-detector.tflite beside " +
                                  card.name + ", or name a detector as it is opened.");
    }
    return found_by;
}

void Recognizer::set_finder(std::shared_ptr<const FaceFinder> finder) {
    const std::lock_guard<std::mutex> lock(parts_->finder_mutex);
    parts_->found_by = std::move(finder);
}

void Recognizer::set_fit(const Fit& fit) { parts_->fit = fit; }

Face Recognizer::given_face(const Box& box) const {
    parts_->expect(Modality::face);
    return given(*parts_->face, box);
}

void Recognizer::predict_given(const Image& image, const Face& given, Result& out) const {
    parts_->expect(Modality::face);
    check_image(image);
    const StageClock clock(parts_->times);
    read(*parts_, image, parts_->face->align(given.box), given, out);
}

void Recognizer::predict_image(const Image& image, const Box* box, Result& out) const {
    check_image(image);
    const Box whole{0.0, 0.0, static_cast<double>(image.width), static_cast<double>(image.height)};
    predict_given(image, given_face(box == nullptr ? whole : *box), out);
}

void Recognizer::find_faces(const Image& image, std::vector<Face>& found) const {
    find(*parts_, image, found);
}

void Recognizer::predict_face(const Image& image, const Face& found, Result& out) const {
    parts_->expect(Modality::face);
    const StageClock clock(parts_->times);
    read(*parts_, image, fitted(*parts_->face, found, parts_->fit), found, out);
}

void Recognizer::predict_nobody(Result& out) const { parts_->nobody(out); }

void Recognizer::predict_front(const Image& image, Result& out) const {
    thread_local std::vector<Face> found;  // kept for the next one
    const StageClock clock(parts_->times);
    find(*parts_, image, found);
    const Face* const front = in_front(found);
    if (front == nullptr) return parts_->nobody(out);
    read(*parts_, image, fitted(*parts_->face, *front, parts_->fit), *front, out);
}

struct FaceWatcher::State {
    State(std::shared_ptr<RecognizerParts> p, double smooth_ms, const TrackerSpec& tracker)
        : parts(std::move(p)), follower(parts->readout.row_size(), smooth_ms, tracker) {}

    void push(const Image& frame, std::int64_t t) {
        followed = nullptr;
        const StageClock clock(parts->times);
        find(*parts, frame, faces);
        const std::size_t size = follower.size();
        rows.resize(faces.size() * size);
        float* to = rows.data();
        for (const Face& face : faces) {
            StageClock::enter(Stage::frontend);
            parts->read_crop(frame, fitted(*parts->face, face, parts->fit),
                             [&](const float* row, const float*) { to = std::copy_n(row, size, to); });
        }
        followed = &follower.update(faces, rows.data(), t);
        taken = 0;
        t_ms = t;
    }

    bool next(Result& out) {
        if (followed == nullptr || taken == followed->size()) return false;
        const Followed& next = (*followed)[taken++];
        parts->fill(next.row, out);
        out.evidence = next.evidence;
        out.start_ms = next.track.first_ms;
        out.end_ms = t_ms;
        out.track_id = next.track.id;
        out.face = next.track.face;
        out.source = source ? source->c_str() : nullptr;
        return true;
    }

    std::shared_ptr<RecognizerParts> parts;
    FaceFollower follower;
    std::vector<Face> faces;
    std::vector<float> rows;                          // one a face
    const std::vector<Followed>* followed = nullptr;  // of the last frame; null: nothing waits
    std::size_t taken = 0;
    std::int64_t t_ms = 0;
    std::optional<std::string> source;
};

FaceWatcher::FaceWatcher(std::unique_ptr<State> state) : state_(std::move(state)) {}
FaceWatcher::~FaceWatcher() = default;
FaceWatcher::FaceWatcher(FaceWatcher&&) noexcept = default;
FaceWatcher& FaceWatcher::operator=(FaceWatcher&&) noexcept = default;

void FaceWatcher::push(const Image& frame, std::int64_t t_ms) { state_->push(frame, t_ms); }
bool FaceWatcher::next(Result& out) { return state_->next(out); }
void FaceWatcher::set_source(std::optional<std::string> name) { state_->source = std::move(name); }

void FaceWatcher::reset() {
    state_->follower.reset();
    state_->followed = nullptr;
}

FaceWatcher Recognizer::watch(double smooth_ms, const TrackerSpec& tracker) const {
    parts_->expect(Modality::face);
    parts_->model->check_usable();
    if (!parts_->finder_path.empty()) parts_->finder();
    return FaceWatcher(std::make_unique<FaceWatcher::State>(parts_, smooth_ms, tracker));
}

}  // namespace edgeemo
