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

// Starts `command`, the path of a program and its arguments, with this process's environment. The child
// reads all pieces, one after the other, as its standard input (a file in memory). The child has a process
// group of its own, its standard error goes nowhere, and it leaves no core. The child is killed after
// `timeout_ms` or when the calling thread ends. `waiting` is called some times a second; an exception of
// `waiting` ends the child and goes on to the caller. The function never throws for a fault of the child.
// The function leaves no signal, no open file, no child and no process of the child behind. There is one
// exception: a host that ignores SIGCHLD lets the system reap the child first. Then the number of the group
// may belong to others, so processes that the child started are left alone. A killed host leaves them alone,
// too.
ChildEnd run_child(const std::vector<std::string>& command, const Pieces& pieces, std::int32_t timeout_ms,
                   const std::function<void()>& waiting = {});

}  // namespace edgeemo
