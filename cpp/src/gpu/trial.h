// A delegate tried by a program of ours in a process of its own, and what is said of it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/child.h"
#include "edgeemo/delegates.h"

namespace edgeemo {

// A verdict, and whether it is about the delegate and so worth keeping. The verdict is not about the
// delegate if the program or this host failed before, or if somebody ended the program.
struct Tried {
    Verdict verdict;
    bool of_delegate = false;
};

// Runs `command` on `pieces` (child.h) and reads its lines (probe_request.h): from "at `begins`" on, what
// happens is the delegate's doing.
Tried try_in_child(const std::vector<std::string>& command, const Pieces& pieces, std::int32_t timeout_ms,
                   const std::string& begins, const std::function<void()>& waiting);

// Why a delegate that lives and answers rightly is left alone all the same; "" if it is not.
std::string too_slow(double ratio, double most_ratio);

std::string in_times(double ratio);  // 1.5 is "1.50"

}  // namespace edgeemo
