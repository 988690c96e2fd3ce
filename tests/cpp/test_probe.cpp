// Probing a GPU: whatever happens in the child, this process lives on and says why.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "edgeemo/errors.h"
#include "gpu_stand_in.h"

using namespace edgeemo;
namespace fs = std::filesystem;

namespace {

void test_options_are_read_strictly() {
    const DelegateOptions read = read_delegate_options(
        "probe_timeout_ms=500\n\n precision = 1 \nprobe_most_ratio = 0.5\r\nname=a = b");
    CHECK(read.timeout_ms == 500 && read.most_ratio == 0.5 && read.rest == "precision = 1\nname = a = b\n");
    for (const char* const bad : {"precision", "= 3", "probe_other = 1", "probe_timeout_ms = soon",
                                  "probe_timeout_ms = 1", "probe_most_ratio = -1", "probe_most_ratio = "})
        message_of<InputError>([&] { read_delegate_options(bad); });
}

void test_a_good_gpu_is_usable() {
    const Verdict verdict = probe(kPatient);
    CHECK(verdict.usable && verdict.reason.empty() && verdict.ratio > 0);
}

void test_a_gpu_calculates_in_float32_unless_told_otherwise() {
    const auto precise = [](const char* rest) { return probe(kPatient + "fault = coarse\n" + rest).usable; };
    CHECK(precise("") && precise("precision_of_clocks = 1\n") && precise("precision = 2\n"));
    CHECK(!precise("precision = 1\n") && !precise("other = 3\nprecision=1\n"));
}

void test_whatever_happens_in_the_child_is_only_told() {
    const auto why = [](const char* fault) {
        const Verdict verdict = probe(kPatient + "fault = " + fault + "\n");
        CHECK(!verdict.usable && verdict.ratio == 0.0);
        return verdict.reason;
    };
    CHECK(has(why("sigill"),
              "SIGILL, an instruction this processor does not know while loading the model on the GPU"));
    CHECK(has(why("sigabrt"), "SIGABRT while loading"));
    CHECK(has(why("exit"), "ended with code 7 while loading"));
    CHECK(has(why("device"), "cannot run this model here (status 3)"));
    CHECK(has(why("wrong"), "differs from the CPU's by up to"));
#if !defined(__SANITIZE_ADDRESS__)  // which catches it and ends with a code
    CHECK(has(why("sigsegv"), "SIGSEGV while loading"));
    CHECK(has(why("crash"), "SIGSEGV while running the model on the GPU"));
#endif
}

void test_a_gpu_that_gives_no_numbers_is_told() {
    std::ifstream file(EDGEEMO_FLOATS, std::ios::binary);
    const std::vector<char> bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    const ModelBytes model{reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), nullptr};
    CHECK(probe_gpu(model, with("gpu", kPatient), {}).usable);
    const Verdict verdict = probe_gpu(model, with("gpu", kPatient + "fault = nan\n"), {});
    CHECK(!verdict.usable && has(verdict.reason, "its output labels is not a number"));
}

void test_a_hanging_gpu_is_ended_in_time() {
    const Verdict verdict = probe(kPatient + "probe_timeout_ms = 700\nfault = hang\n");
    CHECK(!verdict.usable);
    CHECK(
        has(verdict.reason, "did not answer within 700 ms and was ended while loading the model on the GPU"));
    CHECK(!has_children());
}

void test_a_helper_that_lingers_is_ended() {
    const Folder folder;
    const std::string script = folder.path() + "/linger";
    std::ofstream(script) << "#!/bin/sh\nexec >&-\nexec sleep 60\n";
    fs::permissions(script, fs::perms::owner_all);
    CHECK(has(probe("probe_program = " + script + "\n").reason, "said nothing more and did not end"));
    CHECK(!has_children());
}

pid_t number_of(const Folder& folder) {  // of a process, in its file "grandchild"
    pid_t number = 0;
    std::ifstream(folder.path() + "/grandchild") >> number;
    CHECK(number > 0);
    return number;
}

bool lives(const Folder& folder) {
    const pid_t number = number_of(folder);
    for (int turn = 0; turn < 100 && kill(number, 0) == 0; ++turn) {
        std::ifstream status("/proc/" + std::to_string(number) + "/stat");
        const std::string all((std::istreambuf_iterator<char>(status)), std::istreambuf_iterator<char>());
        if (all.find(") Z ") != std::string::npos) return false;
        usleep(10'000);
    }
    return kill(number, 0) == 0;
}

void test_what_a_helper_starts_is_ended_with_it() {  // and not waited for, though it holds the pipe
    const Folder folder;
    const std::string leaves = "sleep 77777 & echo $! > " + folder.path() + "/grandchild\n";
    CHECK(has(probe(script(folder, leaves + "exit 3\n")).reason, "ended with code 3"));
    CHECK(!lives(folder));
    probe(script(folder, leaves + "wait\n") + "probe_timeout_ms = 500\n");
    CHECK(!lives(folder) && !has_children());
}

void test_an_interrupted_probe_is_no_verdict() {
    const Folder folder;
    for (const char* const asked : {"INT", "TERM", "HUP", "QUIT"}) {
        const std::string options =
            script(folder, std::string("echo at loading the model on the GPU\nkill -") + asked + " $$\n");
        CHECK(has(probe(options).reason, "was ended by signal"));
        CHECK(!fs::exists(folder.records()));
    }
    EngineOptions options = with("gpu", script(folder, "exec sleep 60\n"));
    options.waiting = [] { throw InferenceError("stop"); };
    CHECK(message_of<InferenceError>([&] { probe_gpu(text_model(), options, {}); }) == "stop");
    CHECK(!fs::exists(folder.records()) && !has_children());
}

void test_a_host_that_is_killed_takes_its_helper_along() {
    const Folder folder;
    const std::string options = script(folder, "echo $$ > " + folder.path() + "/part\nmv " + folder.path() +
                                                   "/part " + folder.path() + "/grandchild\nexec sleep 77\n");
    const pid_t host = fork();
    CHECK(host >= 0);
    if (host == 0) {
        probe(options);
        _exit(0);
    }
    for (int turn = 0; turn < 1000 && !fs::exists(folder.path() + "/grandchild"); ++turn) usleep(10'000);
    kill(host, SIGKILL);
    CHECK(waitpid(host, nullptr, 0) == host);
    CHECK(!lives(folder));
}

void test_an_answer_is_a_whole_number() {
    const Folder folder;
    const auto said = [&](const std::string& what) {
        return probe(script(folder, "echo at loading the model on the GPU\necho '" + what + "'\n") +
                     "probe_most_ratio = 1000000\n");
    };
    CHECK(said("same 1500000").usable && said("same 1500000").ratio == 1.5);
    for (const char* const junk : {"same 12abc", "same 12 ", "same -5", "same 0", "same ", "same", "same 1e3",
                                   "same 99999999999999999999", "samesame"}) {
        const Verdict verdict = said(junk);
        CHECK(!verdict.usable && has(verdict.reason, "ended without an answer while loading"));
    }
}

void test_what_is_not_the_gpus_fault_is_no_verdict_on_it() {
    const Folder folder;
    const auto kept = [&](const std::string& options) {
        CHECK(!probe(options + folder.option()).usable);
        return fs::exists(folder.records());
    };
    CHECK(!kept("probe_program = /nowhere/probe\n"));
    CHECK(!kept("probe_program = /bin/false\n"));
    CHECK(!kept(script(folder, "echo at loading the model on the CPU\nkill -SEGV $$\n")));
    CHECK(!kept(script(folder, "echo at loading the model on the CPU\necho not enough memory\n")));
    CHECK(!kept(script(folder, "sleep 60\n") + "probe_timeout_ms = 300\n"));
    const ModelBytes model = text_model();
    rlimit files{};
    CHECK(getrlimit(RLIMIT_NOFILE, &files) == 0);
    const int next = open("/dev/null", O_RDONLY | O_CLOEXEC);  // whoever started us may have left files open
    close(next);
    const rlimit few{static_cast<rlim_t>(next) + 1, files.rlim_max};  // room for one, as LiteRT needs it
    setrlimit(RLIMIT_NOFILE, &few);
    const std::string why = probe_gpu(model, with("gpu", kPatient + folder.option()), {}).reason;
    setrlimit(RLIMIT_NOFILE, &files);
    CHECK(has(why, "could not be given"));
    CHECK(!fs::exists(folder.records()));
    CHECK(kept(script(folder, "echo at loading the model on the GPU\nkill -SEGV $$\n")));
}

void test_a_slow_gpu_is_not_used() {
    const Verdict verdict = probe(kProgram + "fault = slow\nprobe_most_ratio = 0\n");  // any time is too long
    CHECK(!verdict.usable);
    CHECK(has(verdict.reason, "times as long as the CPU (probe_most_ratio allows 0.00)"));
    CHECK(probe(kPatient + "fault = slow\n").usable);
}

void test_a_helper_that_is_none_is_told() {
    const auto why = [](const std::string& program, const std::string& rest = "") {
        return probe("probe_program = " + program + "\n" + rest).reason;
    };
    CHECK(has(why("/nowhere/probe"), "could not be started (No such file or directory)"));
    CHECK(has(why("/etc/passwd"), "could not be started (Permission denied)"));
    CHECK(has(why("/bin/true"), "ended without an answer"));
    CHECK(has(why("/bin/false"), "ended with code 1"));
    CHECK(has(why("/usr/bin/yes", "probe_timeout_ms = 300\n"), "did not answer within 300 ms"));  // a flood
    CHECK(has(why(""), "there is no edgeemo-probe"));
}

void test_a_host_that_reaps_its_children_is_served() {
    const auto before = std::signal(SIGCHLD, SIG_IGN);
    CHECK(probe(kPatient).usable);
    CHECK(has(probe(kPatient + "fault = sigill\n").reason, "ended without an answer while loading"));
    const Folder folder;  // what a helper that is reaped already started has no number that is surely its own
    const std::string leaves = "sleep 77 & echo $! > " + folder.path() + "/grandchild\n";
    probe(script(folder, leaves + "exit 3\n"));
    CHECK(lives(folder));
    kill(number_of(folder), SIGKILL);
    std::signal(SIGCHLD, before);
}

int open_files() {
    return static_cast<int>(std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

void test_nothing_is_left_open() {
    probe(kPatient);
    const int before = open_files();
    for (const char* const fault : {"", "fault = sigill\n", "fault = device\n"}) probe(kPatient + fault);
    CHECK(open_files() == before);
}

}  // namespace

int main() {
    begin_with_no_folders();
    test_options_are_read_strictly();
    test_a_good_gpu_is_usable();
    test_a_gpu_calculates_in_float32_unless_told_otherwise();
    test_whatever_happens_in_the_child_is_only_told();
    test_a_gpu_that_gives_no_numbers_is_told();
    test_a_hanging_gpu_is_ended_in_time();
    test_a_helper_that_lingers_is_ended();
    test_what_a_helper_starts_is_ended_with_it();
    test_an_interrupted_probe_is_no_verdict();
    test_a_host_that_is_killed_takes_its_helper_along();
    test_an_answer_is_a_whole_number();
    test_what_is_not_the_gpus_fault_is_no_verdict_on_it();
    test_a_slow_gpu_is_not_used();
    test_a_helper_that_is_none_is_told();
    test_a_host_that_reaps_its_children_is_served();
    test_nothing_is_left_open();
    return 0;
}
