// The steps that recognizer bundles and detector bundles share: opening and input.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "edgeemo/bundle.h"
#include "edgeemo/delegates.h"
#include "edgeemo/engine.h"
#include "edgeemo/face.h"
#include "runtime/loaded_model.h"

namespace edgeemo {

[[noreturn]] void mismatch(const Card& card, const std::string& what);  // throws BundleMismatchError

// Throws BundleMismatchError unless the model takes what the card's frontend makes.
void check_fit(const Card& card, const std::vector<TensorInfo>& inputs);

// Where the output of that name stands. Throws BundleMismatchError if the model lacks it, if it has another
// shape (an empty `shape` asks for none), or if it gives no floats. `role` is for the message.
std::size_t output_of(const Card& card, const std::vector<TensorInfo>& outputs, const std::string& name,
                      const char* role, const std::vector<std::int32_t>& shape);

// The bundle's model on the delegate asked for; Bundle::open has checked its digest. Throws what open_engine
// throws.
std::shared_ptr<LoadedModel> load_model(const Bundle& bundle, const EngineOptions& options);

std::vector<std::string> pieces_of(const Assets& assets);  // of a text's vocabulary, one a line, LF

// The inputs whose answers the card keeps, as the model takes them.
std::vector<Golden> goldens_of(const Card& card, const Assets& assets);

// A crop of a picture into the model's input.
void fill(ModelRunner& runner, const FaceFrontend& frontend, const Image& image, const Alignment& crop);

}  // namespace edgeemo
