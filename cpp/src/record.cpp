#include "record.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
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

#include "sha256.h"
#include "unicode.h"

namespace edgeemo {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostBytes = 4096;
// Where Vulkan's loader looks for drivers, unless the environment tells it otherwise (its
// LoaderDriverInterface.md: the defaults of XDG_CONFIG_DIRS, SYSCONFDIR and XDG_DATA_DIRS), and where it lies
// itself.
constexpr std::array kDriverFolders{"/etc/xdg", "/etc", "/usr/local/etc", "/usr/local/share", "/usr/share"};
constexpr std::array kLibraryFolders{"/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64",
                                     "/usr/lib", "/usr/local/lib"};
constexpr std::string_view kFirstLine = "edgeemo-probe 1";

std::string path_of(const std::string& folder, const std::string& key) {
    return folder + "/" + key + ".probe";
}

// The beginning of a small file; "" if it cannot be read.
std::string content(const std::string& path) {
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return "";
    std::array<char, kMostBytes> some{};
    const ssize_t n = read(fd, some.data(), some.size());
    close(fd);
    return n > 0 ? std::string(some.data(), static_cast<std::size_t>(n)) : "";
}

// Files that change when what they belong to is installed anew: name, size and time of each.
void list_files(const std::string& folder, std::string_view begin, std::string& all) {
    std::vector<std::string> found;
    std::error_code failed;
    for (fs::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed)) {
        const std::string name = at->path().filename();
        struct stat info{};
        if (name.compare(0, begin.size(), begin) != 0 || stat(at->path().c_str(), &info) != 0) continue;
        found.push_back(name + " " + std::to_string(info.st_size) + " " +
                        std::to_string(info.st_mtim.tv_sec) + "." + std::to_string(info.st_mtim.tv_nsec));
    }
    std::sort(found.begin(), found.end());
    all += folder + "\n";
    for (const std::string& line : found) all += line + "\n";
}

void list_machine(std::string& all) {
    utsname name{};
    if (uname(&name) == 0)
        all += std::string(name.sysname) + name.release + name.machine + name.nodename + "\n";
    all += content("/etc/machine-id") + content("/proc/driver/nvidia/version");
    std::vector<std::string> cards;
    std::error_code failed;
    for (fs::directory_iterator at("/sys/class/drm", failed), end; !failed && at != end;
         at.increment(failed)) {
        const std::string device = at->path().string() + "/device/";
        cards.push_back(at->path().filename().string() + content(device + "vendor") +
                        content(device + "device"));
    }
    std::sort(cards.begin(), cards.end());
    for (const std::string& card : cards) all += card + "\n";
    for (const char* const folder : kDriverFolders) {
        for (const char* const kind : {"/vulkan/icd.d", "/vulkan/implicit_layer.d"})
            list_files(std::string(folder) + kind, "", all);
    }
    for (const char* const folder : kLibraryFolders) list_files(folder, "libvulkan.so.1", all);
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
    std::int64_t millionths = 0;
    const auto read = std::from_chars(ratio->data(), ratio->data() + ratio->size(), millionths);
    if (read.ec != std::errc() || read.ptr != ratio->data() + ratio->size() || millionths < 0) return {};
    if (unicode::well_formed(*reason, reason->size()) != *reason) return {};
    if ((*usable == "yes") != (millionths > 0 && reason->empty())) return {};
    return Verdict{*usable == "yes", static_cast<double>(millionths) / 1e6, std::string(*reason)};
}

std::string why(const char* what, const std::string& path) {
    return std::string(what) + " " + path + ": " + std::generic_category().message(errno);
}

}  // namespace

std::string record_key(const std::string& folder, const std::string& model_sha256, std::int32_t threads,
                       const std::string& gpu_options) {
    std::string all = std::string(kFirstLine) + "\n" + model_sha256 + "\n" + std::to_string(threads) + "\n" +
                      std::to_string(gpu_options.size()) + "\n" + gpu_options + "\n";
    list_files(folder, "libLiteRt", all);
    list_machine(all);
    return sha256_hex(reinterpret_cast<const std::uint8_t*>(all.data()), all.size());
}

Recalled recall(const std::string& folder, const std::string& key) {
    const std::string path = path_of(folder, key);
    const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY);
    if (fd < 0) return {{}, errno == ENOENT || errno == ENOTDIR ? "" : why("cannot read", path)};
    struct stat info{};
    const bool there = fstat(fd, &info) == 0;
    const bool ours = there && S_ISREG(info.st_mode) && (info.st_uid == geteuid() || info.st_uid == 0) &&
                      (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
    std::array<char, kMostBytes> some{};
    const ssize_t n = ours ? read(fd, some.data(), some.size()) : 0;
    close(fd);
    if (!ours) return {{}, path + " is no plain file that only you can write; remove it"};
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
    const int fd = mkostemp(part.data(), O_CLOEXEC);  // for us alone
    if (fd < 0) return why("cannot write in", folder);
    const bool written =
        write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && fsync(fd) == 0;
    const std::string trouble = written ? "" : why("cannot write", path);
    close(fd);
    if (written && rename(part.c_str(), path.c_str()) == 0) return "";
    const std::string other = written ? why("cannot write", path) : trouble;
    unlink(part.c_str());
    return other;
}

}  // namespace edgeemo
