// edgeemo-probe: loads a model on the CPU and on the GPU, compares the answers, times both. Started by
// edgeemo in a process of its own, because a GPU's driver may crash or hang; see src/probe_request.h for what
// it reads and says.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <vector>

#include "edgeemo/delegates.h"
#include "edgeemo/engine.h"
#include "gpu/probe_request.h"

namespace {

using edgeemo::Engine;

int answers = -1;  // where lines go; standard output itself is the libraries' and goes nowhere

void say(const std::string& what) {
    const std::string line = what + "\n";
    if (write(answers, line.data(), line.size()) < 0) _exit(1);
}

double run_us(Engine& engine) {
    const auto begin = std::chrono::steady_clock::now();
    engine.run();
    return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count();
}

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

// One after the other, so that both have the same weather; half a second, at least 5 and at most 50 runs of
// each.
double time_ratio(Engine& cpu, Engine& gpu) {
    std::vector<double> ours, theirs;
    double spent = 0;
    while (theirs.size() < 5 || (spent < 5e5 && theirs.size() < 50)) {
        ours.push_back(run_us(cpu));
        theirs.push_back(run_us(gpu));
        spent += ours.back() + theirs.back();
    }
    return median(theirs) / median(ours);
}

struct Request {
    edgeemo::ProbeRequest head;
    const std::uint8_t* model = nullptr;
    std::vector<edgeemo::Golden> goldens;
    std::string library, options;
};

bool read_request(Request& request) {
    struct stat info{};
    if (fstat(STDIN_FILENO, &info) != 0 || !S_ISREG(info.st_mode)) return false;
    const auto size = static_cast<std::uint64_t>(info.st_size);
    if (size < sizeof request.head) return false;
    void* const all = mmap(nullptr, static_cast<std::size_t>(size), PROT_READ, MAP_PRIVATE, STDIN_FILENO, 0);
    if (all == MAP_FAILED) return false;
    const auto* at = static_cast<const std::uint8_t*>(all);
    std::memcpy(&request.head, at, sizeof request.head);
    const auto& head = request.head;
    if (head.magic != edgeemo::ProbeRequest{}.magic) return false;
    std::uint64_t left = size - sizeof head;
    const auto take = [&](std::uint64_t n) {
        const bool there = n <= left;
        left -= there ? n : left;
        return there;
    };
    const std::uint64_t padded = (head.model + 15) / 16 * 16;
    if (head.model > size || !take(padded) || (head.golden != 0 && head.goldens > left / head.golden) ||
        !take(head.goldens * head.golden) || !take(head.library) || !take(head.options))
        return false;
    at += sizeof head;
    request.model = at;
    at += padded;
    for (std::uint64_t i = 0; i < head.goldens; ++i, at += head.golden)
        request.goldens.emplace_back(at, at + head.golden);
    request.library.assign(reinterpret_cast<const char*>(at), static_cast<std::size_t>(head.library));
    request.options.assign(reinterpret_cast<const char*>(at + head.library),
                           static_cast<std::size_t>(head.options));
    return true;
}

void probe(const Request& request) {
    edgeemo::EngineOptions how;
    how.library = request.library;
    how.threads = static_cast<std::int32_t>(request.head.threads);
    how.delegate = "cpu";
    const edgeemo::ModelBytes model{request.model, static_cast<std::size_t>(request.head.model), nullptr};
    say("at loading the model on the CPU");
    Engine cpu(model, how);
    how.delegate = "gpu";
    how.delegate_options = request.options;
    say(std::string("at ") + edgeemo::kGpuBegins);
    Engine gpu(model, how);
    say("at running the model on the GPU");
    const std::string wrong = difference(cpu, gpu, request.goldens);
    if (!wrong.empty()) {
        say("not " + wrong);
        return;
    }
    say("at timing the GPU");
    say("same " + std::to_string(std::llround(time_ratio(cpu, gpu) * 1e6)));
}

}  // namespace

int main() {
    Request request;
    if (!read_request(request)) {
        std::fputs(
            "edgeemo-probe tries a GPU for edgeemo, which starts it: use `edgeemo delegates`, or "
            "edgeemo_probe\n",
            stderr);
        return 2;
    }
    answers = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere < 0 || dup2(nowhere, STDOUT_FILENO) < 0) return 2;
    try {
        probe(request);
    } catch (const std::exception& error) {
        say(std::string("not ") + error.what());
    }
    _exit(0);  // what a driver does at the end is not our business
}
