// Delegates on a library that stands in for LiteRT and its GPU: what was asked for runs, or says why not.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "edgeemo/edgeemo.h"
#include "edgeemo/errors.h"
#include "edgeemo/golden.h"
#include "edgeemo/recognizer.h"
#include "gpu/record.h"
#include "gpu_stand_in.h"
#include "online/recognizer_parts.h"

using namespace edgeemo;
namespace fs = std::filesystem;

namespace {

std::vector<Golden> goldens_of_bundle(const char* name) {
    const Bundle bundle = Bundle::open(bundle_path(name));
    return goldens_of(bundle.card, bundle.assets);
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
    const std::string slow = kProgram + folder.option() + "fault = slow\nprobe_most_ratio = 0\n";
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
    CHECK(has(
        message_of<DelegateError>([] { open_on("gpu", kProgram + "fault = slow\nprobe_most_ratio = 0\n"); }),
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

std::string key_in(const Folder& folder) { return fs::directory_iterator(folder.records())->path().stem(); }

void test_what_failed_here_is_not_tried_again() {
    for (const char* const fault : {"wrong_here", "throw_here", "device_here"}) {
        const Folder folder;
        const std::string options = kPatient + folder.option() + "fault = " + fault + "\n";
        CHECK(probe(options).usable);
        const std::string first = open_on("auto", options).reason;
        CHECK(has(first, "the GPU is not used: ") && open_on("auto", options).reason == first);
        CHECK(probe(options).usable);  // until it is
        message_of<DelegateError>([&] { open_on("gpu", options); });
        CHECK(open_on("auto", options).reason == first);
        CHECK(recall(folder.records(), key_in(folder)).verdict->usable == false);
    }
}

bool is_marked(const Folder& folder) {
    for (const auto& file : fs::directory_iterator(folder.records()))
        if (file.path().string().find(".opening-") != std::string::npos) return true;
    return false;
}

// Opens in a child, and kills it once it is opening if it `hangs`; whether it came back.
bool comes_back(const std::string& delegate, const std::string& options, const Folder& folder, bool hangs) {
    const pid_t host = fork();
    CHECK(host >= 0);
    if (host == 0) {
        alarm(60);
        try {
            open_on(delegate, options);
        } catch (const DelegateError&) {  // it lives
        }
        _exit(0);
    }
    for (int turn = 0; hangs && turn < 3000 && !is_marked(folder); ++turn) usleep(10'000);
    if (hangs) kill(host, SIGKILL);
    int status = 0;
    CHECK(waitpid(host, &status, 0) == host);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void test_what_ended_its_host_is_not_loaded_again() {
    for (const bool hangs : {false, true}) {
        const Folder folder;
        const std::string options =
            kPatient + folder.option() + "fault = " + (hangs ? "hang_here" : "crash_here") + "\n";
        CHECK(probe(options).usable);
        CHECK(!comes_back("auto", options, folder, hangs));
        for (int start = 0; start < 2; ++start) {
            const OpenedEngine opened = open_on("auto", options);
            CHECK(opened.delegate == "cpu");
            CHECK(has(opened.reason,
                      "the GPU is not used: the last process that opened it here did not come "
                      "back; `edgeemo delegates`, or edgeemo_probe in C, tries it anew"));
            CHECK(has(message_of<DelegateError>([&] { open_on("gpu", options); }), "did not come back"));
        }
        CHECK(open_on("auto", kPatient + folder.option()).delegate == "cpu");  // another key: no word on it
        CHECK(probe(options).usable);
        CHECK(!comes_back("gpu", options, folder, hangs));  // tried again, as was asked
        CHECK(comes_back("gpu", options, folder, false));
    }
}

void test_goldens_are_made_by_the_bundles_own_frontend() {
    CHECK(goldens_of_bundle("text").size() == 8);
    CHECK(goldens_of_bundle("voice").size() == 4);
    CHECK(goldens_of_bundle("face").size() == 4);
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
    begin_with_no_folders();
    test_auto_is_the_cpu_until_a_good_probe_is_on_record();
    test_auto_says_why_the_gpu_on_record_is_not_used();
    test_gpu_works_or_is_an_error();
    test_a_gpu_that_fails_only_here_is_found_at_load();
    test_what_failed_here_is_not_tried_again();
#if !defined(__SANITIZE_THREAD__)  // which knows no forks of a process with threads
    test_what_ended_its_host_is_not_loaded_again();
#endif
    test_goldens_are_made_by_the_bundles_own_frontend();
    test_c_says_the_same();
    return 0;
}
