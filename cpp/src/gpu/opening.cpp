#include "gpu/opening.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

namespace edgeemo {
namespace {

namespace fs = std::filesystem;

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

bool one_died(const std::string& folder, const std::string& key) { return !left_behind(folder, key).empty(); }

void forget_the_dead(const std::string& folder, const std::string& key) {
    for (const std::string& path : left_behind(folder, key)) unlink(path.c_str());
}

}  // namespace edgeemo
