// A program of ours that may crash or hang without harm.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace edgeemo {

struct ChildEnd {
    std::string said;     // on its standard output, at most 64 KiB
    std::string trouble;  // how it ended: "was ended by SIGILL"; "" if by itself, with success
};

// Starts `program` with all pieces, one after the other, as its standard input (a file in memory), and this
// process's environment; its standard error goes nowhere. After `timeout_ms` it is killed. Never throws for
// what the child does; no signal, no open file and no child is left behind.
ChildEnd run_child(const std::string& program, const std::vector<std::pair<const void*, std::size_t>>& pieces,
                   std::int32_t timeout_ms);

}  // namespace edgeemo
