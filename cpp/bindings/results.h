// From the engine's results to values of Python.
#pragma once

#include <pybind11/pybind11.h>

#include "edgeemo/recognizer.h"

// Makes an EmotionResult of a result. `constants` are the fields that all results of one model share.
class ResultMaker {
  public:
    ResultMaker(pybind11::object type, pybind11::dict constants)
        : type_(std::move(type)), constants_(std::move(constants)) {}

    // The same, whose results carry the name of a stream.
    ResultMaker of_stream(const pybind11::object& source) const;

    pybind11::object operator()(const edgeemo::Result& result) const;

  private:
    pybind11::object type_;
    pybind11::dict constants_;
};
