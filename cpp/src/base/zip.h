// The one ZIP that edgeemo writes behind a model, read back: nothing else passes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace edgeemo {

struct Archive {
    std::size_t begin = 0;  // where the ZIP begins
    std::vector<std::pair<std::string, std::string_view>>
        files;  // in their order: the card first, then by name
};

// Checks every byte from the ZIP's beginning on: stored, dated 1980, in order, CRCs right, no comment, no
// gap. Throws BundleCorruptError, whose message begins with `name`.
Archive read_archive(std::string_view data, const std::string& name);

}  // namespace edgeemo
