#include <fcntl.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <vector>

#include "base/file.h"
#include "base/json.h"
#include "base/sha256.h"
#include "edgeemo/errors.h"
#include "gpu/record.h"

namespace edgeemo {
namespace {

namespace fs = std::filesystem;

// Where Vulkan's loader looks for drivers, unless the environment tells it otherwise (its
// LoaderDriverInterface.md: the defaults of XDG_CONFIG_DIRS, SYSCONFDIR and XDG_DATA_DIRS), and where it lies
// itself.
constexpr std::array kDriverFolders{"/etc/xdg", "/etc", "/usr/local/etc", "/usr/local/share", "/usr/share"};
constexpr std::array kLibraryFolders{"/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64",
                                     "/usr/lib", "/usr/local/lib"};
constexpr std::size_t kMostFileBytes = 64 * 1024;

// The beginning of a small file; "" if it cannot be read.
std::string content(const std::string& path) {
    const File file(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    std::string some(kMostFileBytes, '\0');
    const ssize_t n = file.open() ? read(file.fd(), some.data(), some.size()) : 0;
    return some.substr(0, n > 0 ? static_cast<std::size_t>(n) : 0);
}

std::vector<fs::path> files_in(const fs::path& folder, std::string_view begin) {
    std::vector<fs::path> found;
    std::error_code failed;
    for (fs::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed))
        if (at->path().filename().string().compare(0, begin.size(), begin) == 0) found.push_back(at->path());
    std::sort(found.begin(), found.end());
    return found;
}

// Lists name, size and time of files that change with a new installation.
void list_files(const fs::path& folder, std::string_view begin, std::string& all) {
    all += folder.string() + "\n";
    for (const fs::path& path : files_in(folder, begin)) {
        struct stat info{};
        if (stat(path.c_str(), &info) != 0) continue;
        all += path.filename().string() + " " + std::to_string(info.st_size) + " " +
               std::to_string(info.st_mtim.tv_sec) + "." + std::to_string(info.st_mtim.tv_nsec) + "\n";
    }
}

// The path in {"ICD": {"library_path": ...}} (or "layer"); "" if there is none.
std::string library_named_by(const std::string& manifest) {
    try {
        const json::Value read = json::parse(content(manifest));
        for (const char* const kind : {"ICD", "layer"}) {
            const json::Value* const part = read.find(kind);
            const json::Value* const path = part == nullptr ? nullptr : part->find("library_path");
            if (path != nullptr && path->is(json::Value::Kind::text)) return path->text;
        }
    } catch (const BundleCorruptError&) {  // no manifest, or a damaged one: its own size and time must do
    }
    return "";
}

// A driver: absolute, beside its manifest, or a name that the system's loader looks up.
void list_library(const fs::path& manifest, std::string& all) {
    const fs::path named = library_named_by(manifest);
    if (named.empty()) return;
    all += named.string() + "\n";
    if (named.has_parent_path()) {
        const fs::path path = manifest.parent_path() / named;  // named alone, if absolute
        list_files(path.parent_path(), path.filename().string(), all);
    } else {
        for (const char* const folder : kLibraryFolders) list_files(folder, named.string(), all);
    }
}

void list_machine(std::string& all) {
    utsname name{};
    if (uname(&name) == 0)
        all += std::string(name.sysname) + name.release + name.machine + name.nodename + "\n";
    all += content("/etc/machine-id") + content("/proc/driver/nvidia/version");
    for (const fs::path& card : files_in("/sys/class/drm", "")) {
        const std::string device = card.string() + "/device/";
        all += card.filename().string() + content(device + "vendor") + content(device + "device") + "\n";
    }
    for (const char* const folder : kDriverFolders) {
        for (const char* const kind : {"/vulkan/icd.d", "/vulkan/implicit_layer.d"})
            all += drivers_at(std::string(folder) + kind);
    }
    for (const char* const folder : kLibraryFolders) list_files(folder, "libvulkan.so.1", all);
}

}  // namespace

std::string drivers_at(const std::string& place) {
    const fs::path path = place;
    std::error_code failed;
    const bool folder = fs::is_directory(path, failed);
    std::string all;
    list_files(folder ? path : path.parent_path(), folder ? "" : path.filename().string(), all);
    for (const fs::path& manifest : folder ? files_in(path, "") : std::vector<fs::path>{path})
        list_library(manifest, all);
    return all;
}

std::string record_key(const std::string& folder, const std::string& model_sha256, std::int32_t threads,
                       const std::string& gpu_options) {
    std::string all = model_sha256 + "\n" + std::to_string(threads) + "\n" +
                      std::to_string(gpu_options.size()) + "\n" + gpu_options + "\n";
    list_files(folder, "libLiteRt", all);
    list_machine(all);
    return sha256_hex(reinterpret_cast<const std::uint8_t*>(all.data()), all.size());
}

}  // namespace edgeemo
