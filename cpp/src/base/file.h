// A file descriptor with an owner, and whose files are believed.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

namespace edgeemo {

class File {
  public:
    explicit File(int fd = -1) : fd_(fd) {}
    ~File() { close(); }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    int fd() const { return fd_; }
    bool open() const { return fd_ >= 0; }
    void take(int fd) {
        close();
        fd_ = fd;
    }
    void close() {
        if (fd_ >= 0) ::close(fd_);
        fd_ = -1;
    }

  private:
    int fd_;
};

// A plain file of this user's or root's that nobody else may write.
inline bool is_ours(const struct stat& info) {
    return S_ISREG(info.st_mode) && (info.st_uid == geteuid() || info.st_uid == 0) &&
           (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

}  // namespace edgeemo
