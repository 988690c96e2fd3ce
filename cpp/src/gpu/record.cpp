#include "gpu/record.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/utf8.h"

namespace edgeemo {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostBytes = 4096;
constexpr std::string_view kFirstLine = "edgeemo-probe 1";
constexpr const char* kDied =
    "the last process that opened it here did not come back; `edgeemo delegates`, or edgeemo_probe in C, "
    "tries it anew";

std::string path_of(const std::string& folder, const std::string& key) {
    return folder + "/" + key + ".probe";
}

// The rest of the first line, if it begins with `name` and a space; `text` then begins with the next line.
std::optional<std::string_view> take_line(std::string_view& text, std::string_view name) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos || text.substr(0, name.size()) != name || text[name.size()] != ' ')
        return {};
    const std::string_view rest = text.substr(name.size() + 1, end - name.size() - 1);
    text.remove_prefix(end + 1);
    return rest;
}

std::optional<Verdict> read_record(std::string_view text, const std::string& key) {
    if (text.substr(0, kFirstLine.size()) != kFirstLine || text.substr(kFirstLine.size(), 1) != "\n")
        return {};
    text.remove_prefix(kFirstLine.size() + 1);
    const auto of = take_line(text, "key");
    const auto usable = of ? take_line(text, "usable") : std::nullopt;
    const auto ratio = usable ? take_line(text, "ratio_millionths") : std::nullopt;
    const auto reason = ratio ? take_line(text, "reason") : std::nullopt;
    if (!reason || !text.empty() || *of != key || (*usable != "yes" && *usable != "no")) return {};
    const std::int64_t millionths = whole_number(*ratio);
    if (millionths < 0) return {};
    if (unicode::well_formed(*reason, reason->size()) != *reason) return {};
    if ((*usable == "yes") != (millionths > 0 && reason->empty())) return {};
    return Verdict{*usable == "yes", static_cast<double>(millionths) / 1e6, std::string(*reason)};
}

std::string why(const char* what, const std::string& path) {
    return std::string(what) + " " + path + ": " + std::generic_category().message(errno);
}

std::string begin_of(const std::string& key) { return key + ".opening-"; }

std::string part_in(const std::string& folder) { return folder + "/.opening-XXXXXX"; }

// A mark is locked before it gets its name, and has none any more when it is unlocked.
bool is_of_the_dead(const std::string& path) {
    const File file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY));
    struct stat info{};
    return file.open() && flock(file.fd(), LOCK_SH | LOCK_NB) == 0 && fstat(file.fd(), &info) == 0 &&
           info.st_nlink > 0 && is_ours(info);
}

std::vector<std::string> left_behind(const std::string& folder, const std::string& key) {
    const std::string begin = begin_of(key);
    std::vector<std::string> found;
    std::error_code failed;
    for (fs::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed)) {
        const std::string name = at->path().filename();
        if (name.compare(0, begin.size(), begin) == 0 && is_of_the_dead(at->path()))
            found.push_back(at->path());
    }
    return found;
}

// A driver may take the whole machine down: the mark is to be there when it comes back.
bool keep_names(const std::string& folder) {
    const File file(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return file.open() && fsync(file.fd()) == 0;
}

}  // namespace

std::int64_t whole_number(std::string_view text) {
    std::int64_t number = -1;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
    return read.ec == std::errc() && read.ptr == text.data() + text.size() ? number : -1;
}

Opening::Opening(const std::string& folder, const std::string& key)
    : path_(folder.empty() ? "" : part_in(folder)) {
    if (folder.empty()) return;
    file_.take(mkostemp(path_.data(), O_CLOEXEC));  // for us alone
    const std::string name = folder + "/" + begin_of(key) + path_.substr(path_.size() - 6);
    if (file_.open() && flock(file_.fd(), LOCK_EX | LOCK_NB) == 0 &&
        rename(path_.c_str(), name.c_str()) == 0) {
        path_ = name;
        if (keep_names(folder)) return;
    }
    trouble_ =
        "cannot mark in " + folder + " that it is being opened: " + std::generic_category().message(errno);
}

Opening::~Opening() {
    if (file_.open()) unlink(path_.c_str());
}

Recalled recall(const std::string& folder, const std::string& key) {
    if (!left_behind(folder, key).empty()) return {Verdict{false, 0.0, kDied}, true, ""};
    const std::string path = path_of(folder, key);
    const File file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY));
    if (!file.open()) return {{}, false, errno == ENOENT || errno == ENOTDIR ? "" : why("cannot read", path)};
    struct stat info{};
    if (fstat(file.fd(), &info) != 0 || !is_ours(info))
        return {{}, false, path + " is no plain file that only you can write; remove it"};
    std::array<char, kMostBytes> some{};
    const ssize_t n = read(file.fd(), some.data(), some.size());
    Recalled found;
    if (n > 0 && info.st_size == n)
        found.verdict = read_record({some.data(), static_cast<std::size_t>(n)}, key);
    if (!found.verdict) found.trouble = path + " is damaged; remove it";
    return found;
}

std::string put_on_record(const std::string& folder, const std::string& key, const Verdict& verdict) {
    std::string reason = unicode::well_formed(verdict.reason, kMostBytes / 2);
    for (char& c : reason)
        if (static_cast<unsigned char>(c) < ' ') c = ' ';
    const auto millionths =
        std::max<std::int64_t>(static_cast<std::int64_t>(verdict.ratio * 1e6), verdict.usable);
    const std::string text = std::string(kFirstLine) + "\nkey " + key + "\nusable " +
                             (verdict.usable ? "yes" : "no") + "\nratio_millionths " +
                             std::to_string(millionths) + "\nreason " + reason + "\n";
    std::error_code failed;
    fs::create_directories(folder, failed);
    const std::string path = path_of(folder, key);
    std::string part = folder + "/.probe-XXXXXX";
    const File file(mkostemp(part.data(), O_CLOEXEC));  // for us alone
    if (!file.open()) return why("cannot write in", folder);
    if (write(file.fd(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
        fsync(file.fd()) == 0 && rename(part.c_str(), path.c_str()) == 0) {
        for (const std::string& mark : left_behind(folder, key)) unlink(mark.c_str());
        return "";
    }
    const std::string trouble = why("cannot write", path);
    unlink(part.c_str());
    return trouble;
}

}  // namespace edgeemo
