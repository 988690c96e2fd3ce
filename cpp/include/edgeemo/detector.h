// A bundle that finds faces, opened: a picture in, the faces in it out.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "edgeemo/bundle.h"
#include "edgeemo/detect.h"
#include "edgeemo/image.h"
#include "edgeemo/stage_clock.h"

namespace edgeemo {

class LoadedModel;

// The whole picture is shrunk into the model's input (a letterbox). Threads may share one: calls are served
// one after the other.
class FaceDetector final : public FaceFinder {
  public:
    // Throws what Bundle::open and Engine throw, and BundleMismatchError where the bundle finds no faces, or
    // model and card disagree.
    static FaceDetector open(const std::string& path, const EngineOptions& options = {});
    explicit FaceDetector(Bundle bundle, const EngineOptions& options = {});
    FaceDetector(Card card, std::shared_ptr<LoadedModel> model);  // as Recognizer has it
    ~FaceDetector() override;
    FaceDetector(FaceDetector&&) noexcept;
    FaceDetector& operator=(FaceDetector&&) noexcept;

    const Card& card() const;

    // The faces, best first, in pixels of the picture; boxes may reach beyond it. Throws InputError for a bad
    // image, InferenceError if the model fails.
    void detect(const Image& image, std::vector<Face>& found) const override;

    // Measures the stages of every call from now on, beginning at zero, or no longer; as Recognizer has it.
    // Call this while no other call runs.
    void time_stages(bool on);
    StageTimes stage_times() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace edgeemo
