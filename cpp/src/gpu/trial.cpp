#include "gpu/trial.h"

#include <cmath>
#include <string_view>

#include "base/utf8.h"
#include "gpu/record.h"

namespace edgeemo {
namespace {

constexpr std::size_t kMostReason = 2048;  // bytes, as on record

// The answer of the program, or how the program ended.
Tried verdict_of(const ChildEnd& end, const std::string& program, const std::string& begins) {
    std::string at = "starting";
    bool begun = false;
    std::string_view said = end.said;
    while (!said.empty()) {
        const std::size_t stop = said.find('\n');
        if (stop == std::string_view::npos) break;  // cut off
        const std::string line(said.substr(0, stop));
        said.remove_prefix(stop + 1);
        if (line.rfind("at ", 0) == 0) at = line.substr(3);
        begun = begun || at == begins;
        if (line.rfind("not ", 0) == 0)
            return {{false, 0.0, unicode::well_formed(line.substr(4), kMostReason)}, begun};
        const auto millionths =
            line.rfind("same ", 0) == 0 ? whole_number(std::string_view(line).substr(5)) : 0;
        if (millionths > 0) return {{true, static_cast<double>(millionths) / 1e6, ""}, begun};
    }
    const std::string trouble = end.trouble.empty() ? "ended without an answer" : end.trouble;
    const std::string why = "the process that tried it (" + program + ") " + trouble + " while " + at;
    return {{false, 0.0, unicode::well_formed(why, kMostReason)}, begun && !end.asked};
}

}  // namespace

Tried try_in_child(const std::vector<std::string>& command, const Pieces& pieces, std::int32_t timeout_ms,
                   const std::string& begins, const std::function<void()>& waiting) {
    return verdict_of(run_child(command, pieces, timeout_ms, waiting), command[0], begins);
}

std::string in_times(double ratio) {
    const auto hundredths = static_cast<long>(std::lround(ratio * 100));
    const std::string rest = std::to_string(hundredths % 100);
    return std::to_string(hundredths / 100) + "." + (rest.size() < 2 ? "0" : "") + rest;
}

std::string too_slow(double ratio, double most_ratio) {
    if (ratio <= most_ratio) return "";
    return "it takes " + in_times(ratio) + " times as long as the CPU (probe_most_ratio allows " +
           in_times(most_ratio) + ")";
}

}  // namespace edgeemo
