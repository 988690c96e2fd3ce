#include "finder.h"

#include <utility>
#include <vector>

#include "edgeemo/detector.h"
#include "errors.h"

namespace py = pybind11;
using edgeemo::Face;
using edgeemo::FaceFinder;
using edgeemo::Image;

namespace {

class PythonFinder final : public FaceFinder {
  public:
    explicit PythonFinder(py::object detector) : detector_(std::move(detector)) {}
    ~PythonFinder() override {
        const py::gil_scoped_acquire locked;
        detector_ = py::object();
    }
    PythonFinder(const PythonFinder&) = delete;
    PythonFinder& operator=(const PythonFinder&) = delete;

    void detect(const Image&, std::vector<Face>& found) const override {
        const py::gil_scoped_acquire locked;
        const CallersPicture& picture = *CallersPicture::current();
        found.clear();
        for (const py::handle face : detector_.attr("detect")(picture.image, picture.color)) {
            if (!py::isinstance<Face>(face))
                raise_input_type_error("The detector " + type_name(detector_) + " gave " +
                                       py::repr(face).cast<std::string>() + ": expected `edgeemo.Face`s.");
            found.push_back(face.cast<Face>());
        }
    }

  private:
    py::object detector_;
};

}  // namespace

CallersPicture::CallersPicture(const py::object& image, const py::object& color)
    : image(image), color(color), outer_(current()) {
    current() = this;
}

CallersPicture::~CallersPicture() { current() = outer_; }

const CallersPicture*& CallersPicture::current() {
    thread_local const CallersPicture* picture = nullptr;
    return picture;
}

std::shared_ptr<const FaceFinder> to_finder(const py::object& detector) {
    if (py::isinstance<edgeemo::FaceDetector>(detector))
        return detector.cast<std::shared_ptr<edgeemo::FaceDetector>>();
    return std::make_shared<PythonFinder>(detector);
}
