#include "base/child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
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
#include <utility>

#include "base/file.h"

extern char** environ;  // handed on as it is

namespace edgeemo {
namespace {

constexpr std::size_t kMostSaid = 64 * 1024;
constexpr int kTurnMs = 100;
constexpr const char* kLingers = "said nothing more and did not end";

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
    constexpr std::array<std::pair<int, const char*>, 6> kNames{
        {{SIGILL, "SIGILL, an instruction this processor does not know"},
         {SIGKILL, "SIGKILL, out of memory perhaps"},
         {SIGSEGV, "SIGSEGV"},
         {SIGBUS, "SIGBUS"},
         {SIGABRT, "SIGABRT"},
         {SIGFPE, "SIGFPE"}}};
    for (const auto& [known, name] : kNames)
        if (known == number) return name;
    return "signal " + std::to_string(number);
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

    bool ended() {  // the child itself, by its own or another's doing
        siginfo_t info{};
        if (waitid(P_PID, static_cast<id_t>(child_), &info, WEXITED | WNOHANG | WNOWAIT) == 0)
            return info.si_pid == child_;
        reaped_ = reaped_ || errno == ECHILD;  // by a host that ignores SIGCHLD, or waits for all children
        return reaped_;
    }

    bool wait() {  // but not for ever: a driver can hold even a killed one
        for (int turn = 0; turn < 200 && !ended(); ++turn) {
            const timespec pause{0, 10'000'000};
            nanosleep(&pause, nullptr);
        }
        return ended();
    }

    // Until the child is reaped, its number is nobody else's; then it may be.
    void kill() {
        ended();
        if (!reaped_) ::kill(-child_, SIGKILL);
    }

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

// Between vfork() and a new program a child has the memory of its host, which waits: system calls only.
void put(int fd, int at) {
    if (fd == at) fcntl(fd, F_SETFD, 0);
    if (fd != at) dup2(fd, at);
}

[[noreturn]] void become(char* const* command, pid_t host, std::array<int, 3> files, volatile int& failed) {
    for (int number = 1; number < NSIG; ++number) std::signal(number, SIG_DFL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);  // for this posix_spawn would not do
    if (getppid() != host) _exit(1);
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);  // a crash is an answer, not an accident
    for (int at = 0; at < 3; ++at) put(files[static_cast<std::size_t>(at)], at);
    sigset_t no_signals;
    sigemptyset(&no_signals);
    sigprocmask(SIG_SETMASK, &no_signals, nullptr);
    execve(command[0], command, environ);
    failed = errno;
    _exit(127);
}

// The number of the child; or 0, and why in `failed`.
pid_t start(char* const* command, std::array<int, 3> files, int& failed) {
    const pid_t host = getpid();
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);  // no handler of the host's runs in the child
    volatile int why = 0;
    const pid_t child = vfork();
    if (child == 0) become(command, host, files, why);
    failed = child < 0 ? errno : why;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (child > 0 && failed != 0) waitpid(child, nullptr, 0);
    return failed == 0 ? child : 0;
}

}  // namespace

ChildEnd run_child(const std::vector<std::string>& command, const Pieces& pieces, std::int32_t timeout_ms,
                   const std::function<void()>& waiting) {
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

    const File nowhere(open("/dev/null", O_WRONLY | O_CLOEXEC));
    std::vector<char*> words;
    for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    int failed = 0;
    const pid_t child = start(words.data(), {input.fd(), to.fd(), nowhere.fd()}, failed);
    if (child == 0) return {"", system_error("could not be started", failed)};
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
