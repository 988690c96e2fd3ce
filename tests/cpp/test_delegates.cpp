// Delegates on a library that stands in for LiteRT and its GPU: whatever happens in the child, this process
// lives on and says why; what is on record is believed only where it can be.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "check.h"
#include "edgeemo/delegates.h"
#include "edgeemo/edgeemo.h"
#include "edgeemo/errors.h"
#include "edgeemo/golden.h"
#include "edgeemo/recognizer.h"
#include "recognizer_parts.h"
#include "record.h"

using namespace edgeemo;
namespace fs = std::filesystem;

namespace {

std::string bundle_path(const char* name) { return std::string(EDGEEMO_ZOO) + "/" + name + ".tflite"; }

const std::string kProgram = std::string("probe_program = ") + EDGEEMO_PROBE + "\n";
const std::string kPatient = kProgram + "probe_most_ratio = 1000000\n";  // the stand-in's times mean nothing

EngineOptions with(const std::string& delegate, const std::string& options) {
    EngineOptions made;
    made.library = EDGEEMO_STAND_IN;
    made.delegate = delegate;
    made.delegate_options = options;
    return made;
}

bool has(const std::string& text, const std::string& part) {
    if (text.find(part) != std::string::npos) return true;
    std::fprintf(stderr, "'%s' is not in '%s'\n", part.c_str(), text.c_str());
    return false;
}

bool has_children() { return waitpid(-1, nullptr, WNOHANG) >= 0; }

class Folder {
  public:
    Folder() {
        std::string name = (fs::temp_directory_path() / "edgeemo-XXXXXX").string();
        CHECK(mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    ~Folder() { fs::remove_all(path_); }
    const std::string& path() const { return path_; }
    std::string records() const { return path_ + "/deep/records"; }
    std::string option() const { return "probe_records = " + records() + "\n"; }

  private:
    std::string path_;
};

ModelBytes text_model() { return Bundle::open(bundle_path("text")).model; }

Verdict probe(const std::string& options) { return probe_gpu(text_model(), with("gpu", options), {}); }

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
    const auto begin = std::chrono::steady_clock::now();
    const Verdict verdict = probe(kPatient + "probe_timeout_ms = 700\nfault = hang\n");
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    CHECK(!verdict.usable);
    CHECK(
        has(verdict.reason, "did not answer within 700 ms and was ended while loading the model on the GPU"));
    CHECK(took.count() >= 0.69 && took.count() < 5);
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

std::string script(const Folder& folder, const std::string& lines) {
    const std::string path = folder.path() + "/helper";
    std::ofstream(path) << "#!/bin/sh\n" << lines;
    fs::permissions(path, fs::perms::owner_all);
    return "probe_program = " + path + "\n" + folder.option();
}

bool lives(const Folder& folder) {  // the process whose number stands in its file "grandchild"
    pid_t number = 0;
    std::ifstream(folder.path() + "/grandchild") >> number;
    CHECK(number > 0);
    for (int turn = 0; turn < 100 && kill(number, 0) == 0; ++turn) {
        std::ifstream status("/proc/" + std::to_string(number) + "/stat");
        const std::string all((std::istreambuf_iterator<char>(status)), std::istreambuf_iterator<char>());
        if (all.find(") Z ") != std::string::npos) return false;
        usleep(10'000);
    }
    return kill(number, 0) == 0;
}

void test_what_a_helper_starts_is_ended_with_it() {
    const Folder folder;
    const std::string leaves = "sleep 77 & echo $! > " + folder.path() + "/grandchild\n";
    const auto begin = std::chrono::steady_clock::now();
    CHECK(has(probe(script(folder, leaves + "exit 3\n")).reason, "ended with code 3"));
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    CHECK(took.count() < 5);  // though the pipe is still held
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
    const Verdict verdict = probe(kProgram + "fault = slow\n");
    CHECK(!verdict.usable && verdict.ratio > 1);
    CHECK(has(verdict.reason, "times as long as the CPU (probe_most_ratio allows 1.00)"));
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

OpenedEngine open_on(const std::string& delegate, const std::string& options) {
    return open_engine(text_model(), with(delegate, options), {});
}

void test_auto_is_the_cpu_until_a_good_probe_is_on_record() {
    const Folder folder;
    const std::string options = kPatient + folder.option();
    CHECK(has(open_on("auto", kPatient).reason, "no probe of the GPU is on record"));
    const OpenedEngine before = open_on("auto", options);
    CHECK(before.delegate == "cpu" && has(before.reason, "no probe of the GPU is on record"));
    CHECK(probe(options).usable);
    const OpenedEngine after = open_on("auto", options);
    CHECK(after.delegate == "gpu" && has(after.reason, "of the CPU's time in the probe"));
    CHECK(open_on("cpu", options).delegate == "cpu");
    CHECK(open_on("auto", options + "precision = 1\n").delegate == "cpu");  // another way to run it
    EngineOptions threads = with("auto", options);
    threads.threads = 2;
    CHECK(open_engine(text_model(), threads, {}).delegate == "cpu");
    CHECK(open_engine(Bundle::open(bundle_path("voice")).model, with("auto", options), {}).delegate == "cpu");
}

void test_auto_says_why_the_gpu_on_record_is_not_used() {
    const Folder folder;
    const std::string options = kPatient + folder.option() + "fault = sigill\n";
    CHECK(!probe(options).usable);
    const OpenedEngine opened = open_on("auto", options);
    CHECK(opened.delegate == "cpu" && has(opened.reason, "the GPU is not used: the process that tried it"));
    CHECK(has(opened.reason, "SIGILL"));
    const std::string slow = kProgram + folder.option() + "fault = slow\n";
    CHECK(!probe(slow).usable);
    CHECK(has(open_on("auto", slow).reason, "times as long as the CPU"));
}

void test_gpu_works_or_is_an_error() {
    const Folder folder;
    const OpenedEngine opened = open_on("gpu", kPatient + folder.option());  // probes
    CHECK(opened.delegate == "gpu" && has(opened.reason, "asked for; a run took"));
    CHECK(open_on("auto", kPatient + folder.option()).delegate == "gpu");  // and leaves a record
    for (const char* const fault : {"sigill", "device", "wrong"}) {
        const std::string why =
            message_of<DelegateError>([&] { open_on("gpu", kPatient + "fault = " + fault + "\n"); });
        CHECK(has(why, "The GPU cannot be used: ") && has(why, "Use delegate 'auto' or 'cpu'."));
    }
    CHECK(has(message_of<DelegateError>([] { open_on("gpu", kProgram + "fault = slow\n"); }),
              "as long as the CPU"));
    CHECK(has(message_of<DelegateError>([] { open_on("npu", kProgram); }), "There is no delegate 'npu'"));
}

void test_a_gpu_that_fails_only_here_is_found_at_load() {
    const Folder folder;
    const std::string options = kPatient + folder.option() + "fault = wrong_here\n";
    CHECK(probe(options).usable);
    const OpenedEngine opened = open_on("auto", options);
    CHECK(opened.delegate == "cpu" && has(opened.reason, "the GPU is not used: its output"));
    CHECK(has(message_of<DelegateError>([&] { open_on("gpu", options); }), "differs from the CPU's"));
    const std::string throws = kPatient + folder.option() + "fault = throw_here\n";
    CHECK(probe(throws).usable);
    CHECK(has(open_on("auto", throws).reason, "the GPU is not used: a driver's own"));
    CHECK(has(message_of<DelegateError>([&] { open_on("gpu", throws); }), "a driver's own"));
}

void test_a_record_that_is_not_ours_is_not_believed() {
    const Folder folder;
    const std::string options = kPatient + folder.option();
    CHECK(probe(options).usable);
    const fs::path record = fs::directory_iterator(folder.records())->path();
    std::ifstream file(record);
    const std::string good((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    const auto told = [&](const std::string& text) {
        fs::remove_all(record);
        std::ofstream(record) << text;
        fs::permissions(record, fs::perms::owner_read | fs::perms::owner_write);
        const OpenedEngine opened = open_on("auto", options);
        return opened.delegate == "cpu" ? opened.reason : "believed";
    };
    CHECK(told(good) == "believed");
    for (std::size_t size = 0; size < good.size(); size += 9)
        CHECK(has(told(good.substr(0, size)), "is damaged"));
    CHECK(has(told(good + "x"), "is damaged"));
    CHECK(has(told(good + std::string(5000, ' ')), "is damaged"));
    std::string other = good;
    other[other.find("key ") + 4] = other[other.find("key ") + 4] == '0' ? '1' : '0';
    CHECK(has(told(other), "is damaged"));
    for (const char* const ratio : {"-5", "1e6", "99999999999999999999", "0", ""}) {
        std::string bent = good;
        const std::size_t at = bent.find("ratio_millionths ") + 17;
        CHECK(has(told(bent.replace(at, bent.find('\n', at) - at, ratio)), "is damaged"));
    }
    const std::string bad =
        "edgeemo-probe 1\n" + good.substr(16, 4 + 64 + 1) + "usable no\nratio_millionths 0\n";
    CHECK(has(told(bad + "reason it \xC3\xA9\n"), "the GPU is not used: it \xC3\xA9"));
    CHECK(has(told(bad + "reason it \xC3\n"), "is damaged"));
    CHECK(told(good) == "believed");
    fs::permissions(record, fs::perms::group_write, fs::perm_options::add);
    CHECK(has(open_on("auto", options).reason, "is no plain file that only you can write"));
    fs::remove(record);
    CHECK(mkfifo(record.c_str(), 0600) == 0);  // does not hang
    CHECK(has(open_on("auto", options).reason, "is no plain file"));
    fs::remove(record);
    fs::create_symlink("/dev/zero", record);
    CHECK(has(open_on("auto", options).reason, "cannot read"));
    fs::remove(record);
    fs::create_directory(record);
    CHECK(open_on("auto", options).delegate == "cpu");
    CHECK(has(probe(options).reason, "the verdict is not kept"));  // nor can it be replaced, which is told
}

void test_records_are_written_whole() {
    const Folder folder;
    CHECK(put_on_record(folder.records(), "k", {false, 0.0, "two\nlines"}).empty());
    const Recalled read = recall(folder.records(), "k");
    CHECK(read.verdict && !read.verdict->usable && read.verdict->reason == "two lines");
    std::string odd(1, 'x');  // so that a cut falls within a character
    for (int i = 0; i < 3000; ++i) odd += "\xC3\xA9";
    CHECK(put_on_record(folder.records(), "k", {false, 0.0, odd}).empty());
    CHECK(recall(folder.records(), "k").verdict->reason == odd.substr(0, 2047));
    CHECK(put_on_record(folder.records(), "k", {false, 0.0, "a\xFFz"}).empty());
    CHECK(recall(folder.records(), "k").verdict->reason == "a\xEF\xBF\xBDz");
    CHECK(put_on_record(folder.records(), "k", {true, 0.4375, ""}).empty());
    CHECK(recall(folder.records(), "k").verdict->ratio == 0.4375);
    CHECK(std::distance(fs::directory_iterator(folder.records()), fs::directory_iterator()) == 1);
    CHECK(has(put_on_record("/proc/none", "k", {}), "cannot write in /proc/none"));
    CHECK(!recall(folder.records(), "none").verdict && recall(folder.records(), "none").trouble.empty());
}

void test_options_are_read_strictly() {
    const DelegateOptions read = read_delegate_options(
        "probe_timeout_ms=500\n\n precision = 1 \nprobe_most_ratio = 0.5\r\nname=a = b");
    CHECK(read.timeout_ms == 500 && read.most_ratio == 0.5 && read.rest == "precision = 1\nname = a = b\n");
    for (const char* const bad : {"precision", "= 3", "probe_other = 1", "probe_timeout_ms = soon",
                                  "probe_timeout_ms = 1", "probe_most_ratio = -1", "probe_most_ratio = "})
        message_of<InputError>([&] { read_delegate_options(bad); });
}

void test_goldens_are_made_by_the_bundles_own_frontend() {
    CHECK(goldens_of(Bundle::open(bundle_path("text"))).size() == 8);
    CHECK(goldens_of(Bundle::open(bundle_path("voice"))).size() == 4);
    CHECK(goldens_of(Bundle::open(bundle_path("face"))).size() == 4);
    CHECK(golden_signal("a voice").empty() && golden_drawing("a face").empty());
    const Verdict verdict = Recognizer::probe(bundle_path("face"), with("gpu", kPatient));
    CHECK(verdict.usable);
    const Verdict misfit =
        probe_gpu(text_model(), with("gpu", kPatient), [] { return std::vector<Golden>{Golden(3)}; });
    CHECK(!misfit.usable && has(misfit.reason, "a golden input does not fit the model"));
}

void test_c_says_the_same() {
    const Folder folder;
    const std::string path = bundle_path("text");
    const std::string text = kPatient + folder.option();
    edgeemo_options options{};
    options.struct_size = sizeof options;
    options.library = EDGEEMO_STAND_IN;
    options.delegate_options = text.c_str();
    edgeemo_recognizer* recognizer = nullptr;
    const auto runs_on = [&](const char* delegate) {
        options.delegate = delegate;
        CHECK(edgeemo_open(path.c_str(), &options, &recognizer) == EDGEEMO_OK);
        const std::string found = edgeemo_delegate(recognizer);
        CHECK(!std::string(edgeemo_delegate_reason(recognizer)).empty());
        edgeemo_close(recognizer);
        return found;
    };
    CHECK(runs_on("auto") == "cpu");
    edgeemo_verdict verdict{};
    CHECK(edgeemo_probe(path.c_str(), &options, &verdict) == EDGEEMO_ERROR_INPUT);  // no struct_size
    verdict.struct_size = sizeof verdict;
    CHECK(edgeemo_probe(path.c_str(), &options, &verdict) == EDGEEMO_OK);
    CHECK(verdict.usable == 1 && verdict.ratio > 0 && verdict.reason[0] == '\0');
    CHECK(runs_on("auto") == "gpu" && runs_on(nullptr) == "gpu" && runs_on("gpu") == "gpu");
    CHECK(runs_on("cpu") == "cpu");
    std::string long_words = "echo at loading the model on the GPU\necho not x";
    for (int i = 0; i < 400; ++i) long_words += "\xC3\xA9";
    const std::string wordy = script(folder, long_words + "\n");
    options.delegate_options = wordy.c_str();
    CHECK(edgeemo_probe(path.c_str(), &options, &verdict) == EDGEEMO_OK && verdict.usable == 0);
    CHECK(std::strlen(verdict.reason) == 511 && std::string(verdict.reason).substr(509) == "\xC3\xA9");
    const std::string bad = text + "fault = sigill\n";
    options.delegate_options = bad.c_str();
    CHECK(edgeemo_probe(path.c_str(), &options, &verdict) == EDGEEMO_OK);
    CHECK(verdict.usable == 0 && has(verdict.reason, "SIGILL"));
    options.delegate = "gpu";
    CHECK(edgeemo_open(path.c_str(), &options, &recognizer) == EDGEEMO_ERROR_DELEGATE &&
          recognizer == nullptr);
    CHECK(has(edgeemo_last_error(), "SIGILL"));
    options.delegate = "/usr/lib/libsome_delegate.so";
    CHECK(edgeemo_open(path.c_str(), &options, &recognizer) == EDGEEMO_ERROR_DELEGATE);
    CHECK(has(edgeemo_last_error(), "are not known in C"));
    options.delegate = nullptr;
    options.struct_size = offsetof(edgeemo_options, delegate_options);  // a caller of version 1
    options.delegate_options = reinterpret_cast<const char*>(std::uintptr_t{1});
    CHECK(edgeemo_open(path.c_str(), &options, &recognizer) == EDGEEMO_OK);
    edgeemo_close(recognizer);
    CHECK(edgeemo_delegate(nullptr) == nullptr &&
          edgeemo_probe(nullptr, nullptr, &verdict) == EDGEEMO_ERROR_INPUT);
}

}  // namespace

int main() {
    test_options_are_read_strictly();
    test_records_are_written_whole();
    test_a_good_gpu_is_usable();
    test_a_gpu_calculates_in_float32_unless_told_otherwise();
    test_whatever_happens_in_the_child_is_only_told();
    test_a_gpu_that_gives_no_numbers_is_told();
    test_a_hanging_gpu_is_ended_in_time();
    test_a_helper_that_lingers_is_ended();
    test_what_a_helper_starts_is_ended_with_it();
    test_an_interrupted_probe_is_no_verdict();
    test_what_is_not_the_gpus_fault_is_no_verdict_on_it();
    test_a_slow_gpu_is_not_used();
    test_a_helper_that_is_none_is_told();
    test_a_host_that_reaps_its_children_is_served();
    test_nothing_is_left_open();
    test_auto_is_the_cpu_until_a_good_probe_is_on_record();
    test_auto_says_why_the_gpu_on_record_is_not_used();
    test_gpu_works_or_is_an_error();
    test_a_gpu_that_fails_only_here_is_found_at_load();
    test_a_record_that_is_not_ours_is_not_believed();
    test_goldens_are_made_by_the_bundles_own_frontend();
    test_c_says_the_same();
    return 0;
}
