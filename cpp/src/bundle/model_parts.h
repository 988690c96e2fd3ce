// What bundles that recognize and bundles that find have in common as they are opened and fed.
#pragma once

#include <string>
#include <vector>

#include "edgeemo/bundle.h"
#include "edgeemo/delegates.h"
#include "edgeemo/engine.h"
#include "edgeemo/face.h"

namespace edgeemo {

[[noreturn]] void mismatch(const Card& card, const std::string& what);  // throws BundleMismatchError

// Throws BundleMismatchError unless the model takes what the card's frontend makes.
void check_fit(const Card& card, const Engine& engine);

EngineOptions checked_already(
    const EngineOptions& options);  // the bundle's digest was checked as it was opened

std::vector<std::string> pieces_of(const Bundle& bundle);  // of a text's vocabulary, one a line, LF

// The inputs of which the card keeps answers, as the model takes them.
std::vector<Golden> goldens_of(const Bundle& bundle);

// A crop of a picture into the model's input.
void fill(Engine& engine, const FaceFrontend& frontend, const Image& image, const Alignment& crop);

}  // namespace edgeemo
