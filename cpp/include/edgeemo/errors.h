// The errors of the engine: each says what is wrong and what to do.
#pragma once

#include <stdexcept>

namespace edgeemo {

// A specification or vocabulary that cannot work.
class SpecError : public std::invalid_argument {
  public:
    using std::invalid_argument::invalid_argument;
};

// A value handed to a computation that has no answer.
class InputError : public std::invalid_argument {
  public:
    using std::invalid_argument::invalid_argument;
};

}  // namespace edgeemo
