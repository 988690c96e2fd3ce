#include "child.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <optional>
#include <system_error>

extern char** environ;  // handed on as it is

namespace edgeemo {
namespace {

constexpr std::size_t kMostSaid = 64 * 1024;
constexpr int kTurnMs = 100;
constexpr const char* kLingers = "said nothing more and did not end";

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

std::string system_error(const char* what, int code) {
    return std::string(what) + " (" + std::generic_category().message(code) + ")";
}

bool write_all(int fd, const void* data, std::size_t size) {
    const auto* at = static_cast<const char*>(data);
    while (size > 0) {
        const ssize_t n = ::write(fd, at, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        at += n;
        size -= static_cast<std::size_t>(n);
    }
    return true;
}

std::string signal_name(int number) {
    switch (number) {
        case SIGILL:
            return "SIGILL, an instruction this processor does not know";
        case SIGSEGV:
            return "SIGSEGV";
        case SIGBUS:
            return "SIGBUS";
        case SIGABRT:
            return "SIGABRT";
        case SIGFPE:
            return "SIGFPE";
        case SIGKILL:
            return "SIGKILL, out of memory perhaps";
        default:
            return "signal " + std::to_string(number);
    }
}

// A signal by which somebody ends a program, not a program itself.
bool is_asked(int number) {
    return number == SIGINT || number == SIGTERM || number == SIGHUP || number == SIGQUIT;
}

// The child and all that it started, in a process group of their own; none of it outlives this.
class Group {
  public:
    explicit Group(pid_t child) : child_(child) {}
    ~Group() {
        if (reaped_) return;
        kill();
        wait();
        reap();
    }
    Group(const Group&) = delete;
    Group& operator=(const Group&) = delete;

    bool ended() const {  // the child itself, by its own or another's doing
        siginfo_t info{};
        const int failed = waitid(P_PID, static_cast<id_t>(child_), &info, WEXITED | WNOHANG | WNOWAIT);
        return failed == 0 ? info.si_pid == child_ : errno == ECHILD;  // then the host reaps its children
    }

    bool wait() const {  // but not for ever: a driver can hold even a killed one
        for (int turn = 0; turn < 200 && !ended(); ++turn) {
            const timespec pause{0, 10'000'000};
            nanosleep(&pause, nullptr);
        }
        return ended();
    }

    void kill() const { ::kill(-child_, SIGKILL); }  // until it is reaped, the number is nobody else's

    std::optional<int> reap() {  // what waitpid says, if anything
        int status = 0;
        reaped_ = true;
        return waitpid(child_, &status, WNOHANG) == child_ ? std::optional<int>(status) : std::nullopt;
    }

  private:
    pid_t child_;
    bool reaped_ = false;
};

std::string trouble_of(int status) {
    if (WIFSIGNALED(status)) return "was ended by " + signal_name(WTERMSIG(status));
    const int code = WEXITSTATUS(status);
    return code == 0 ? "" : "ended with code " + std::to_string(code);
}

class Spawned {  // what posix_spawn needs, freed
  public:
    Spawned() {
        posix_spawn_file_actions_init(&actions);
        posix_spawnattr_init(&attributes);
        sigset_t none, all;
        sigemptyset(&none);
        sigfillset(&all);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setsigdefault(&attributes, &all);
        posix_spawnattr_setflags(&attributes,
                                 POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    }
    ~Spawned() {
        posix_spawn_file_actions_destroy(&actions);
        posix_spawnattr_destroy(&attributes);
    }
    Spawned(const Spawned&) = delete;
    Spawned& operator=(const Spawned&) = delete;
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
};

}  // namespace

ChildEnd run_child(const std::string& program, const std::vector<std::pair<const void*, std::size_t>>& pieces,
                   std::int32_t timeout_ms, const std::function<void()>& waiting) {
    File input(memfd_create("edgeemo-probe", MFD_CLOEXEC));
    if (!input.open()) return {"", system_error("could not be given its input", errno)};
    for (const auto& [data, size] : pieces)
        if (!write_all(input.fd(), data, size))
            return {"", system_error("could not be given its input", errno)};
    lseek(input.fd(), 0, SEEK_SET);
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return {"", system_error("could not be given a pipe", errno)};
    File from(ends[0]), to(ends[1]);
    File timer(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
    const itimerspec when{{0, 0}, {timeout_ms / 1000, timeout_ms % 1000 * 1'000'000L}};
    if (!timer.open() || timerfd_settime(timer.fd(), 0, &when, nullptr) != 0)
        return {"", system_error("could not be given a time", errno)};

    Spawned how;
    posix_spawn_file_actions_adddup2(&how.actions, input.fd(), STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&how.actions, to.fd(), STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&how.actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    std::string name = "edgeemo-probe";
    std::array<char*, 2> arguments{name.data(), nullptr};
    pid_t child = 0;
    const int failed =
        posix_spawn(&child, program.c_str(), &how.actions, &how.attributes, arguments.data(), environ);
    if (failed != 0) return {"", system_error("could not be started", failed)};
    to.close();

    Group group(child);
    ChildEnd end;
    bool late = false;
    while (true) {
        if (waiting) waiting();
        std::array<pollfd, 2> waits{pollfd{from.fd(), POLLIN, 0}, pollfd{timer.fd(), POLLIN, 0}};
        const int ready = poll(waits.data(), waits.size(), kTurnMs);
        if (ready < 0 && errno != EINTR) break;
        if (ready == 0 && group.ended()) break;  // what it started may hold the pipe for ever
        if (ready <= 0) continue;
        if (waits[1].revents != 0) {  // first, or a flood would go on for ever
            late = true;
            break;
        }
        std::array<char, 4096> some{};
        const ssize_t n = read(from.fd(), some.data(), some.size());
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        if (end.said.size() < kMostSaid) end.said.append(some.data(), static_cast<std::size_t>(n));
    }
    if (late) group.kill();
    const bool lingers = !group.wait() && !late;
    group.kill();  // what it started, too
    if (lingers) group.wait();
    const std::optional<int> status = group.reap();
    end.asked = status && WIFSIGNALED(*status) && is_asked(WTERMSIG(*status));
    end.trouble = lingers ? kLingers : status ? trouble_of(*status) : "";
    if (late) end.trouble = "did not answer within " + std::to_string(timeout_ms) + " ms and was ended";
    return end;
}

}  // namespace edgeemo
