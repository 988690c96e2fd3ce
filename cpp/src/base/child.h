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

using Pieces = std::vector<std::pair<const void*, std::size_t>>;

// Starts `command`, the path of a program and its arguments, with all pieces, one after the other, as its
// standard input (a file in memory), and this process's environment, in a process group of its own; its
// standard error goes nowhere, and it leaves no core. After `timeout_ms`, or when the calling thread is no
// more, it is killed. `waiting` is called some times a second; what it throws ends the child and goes on.
// Never throws for what the child does; no signal, no open file, no child and nothing that it started is left
// behind. But where the system reaps a child before we do (the host ignores SIGCHLD), its group has no number
// that is surely its own: what a child that ended by itself started is then left alone, as it is when the
// host is killed.
ChildEnd run_child(const std::vector<std::string>& command, const Pieces& pieces, std::int32_t timeout_ms,
                   const std::function<void()>& waiting = {});

}  // namespace edgeemo
