// From Python's detector to the engine's: our own FaceDetector or an object of the caller.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>

#include "edgeemo/detect.h"

// The picture that a call is about, for a detector of Python. While it lives, detect() of this thread gets
// the caller's own array.
class CallersPicture {
  public:
    CallersPicture(const pybind11::object& image, const pybind11::object& color);
    ~CallersPicture();
    CallersPicture(const CallersPicture&) = delete;
    CallersPicture& operator=(const CallersPicture&) = delete;

    const pybind11::object &image, &color;

    static const CallersPicture*& current();  // of this thread

  private:
    const CallersPicture* outer_;
};

// An object of class _core.FaceDetector, or any with a method detect(image, color).
std::shared_ptr<const edgeemo::FaceFinder> to_finder(const pybind11::object& detector);
