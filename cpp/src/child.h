// A program of ours that may crash or hang without harm.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace edgeemo {

struct ChildEnd {
    std::string said;     // on its standard output, at most 64 KiB
    std::string trouble;  // how it ended: "was ended by SIGILL"; "" if by itself, with success
    bool asked = false;   // somebody ended it: SIGINT, SIGTERM, SIGHUP or SIGQUIT
};

// Starts `program` with all pieces, one after the other, as its standard input (a file in memory), and this
// process's environment, in a process group of its own; its standard error goes nowhere. After `timeout_ms`
// it is killed. `waiting` is called some times a second; what it throws ends the child and goes on. Never
// throws for what the child does; no signal, no open file, no child and nothing that it started is left
// behind.
ChildEnd run_child(const std::string& program, const std::vector<std::pair<const void*, std::size_t>>& pieces,
                   std::int32_t timeout_ms, const std::function<void()>& waiting = {});

}  // namespace edgeemo
