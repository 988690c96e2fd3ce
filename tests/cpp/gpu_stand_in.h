// Tests of delegates share a library that stands in for LiteRT and its GPU, and a folder for records.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "check.h"
#include "edgeemo/bundle.h"
#include "edgeemo/delegates.h"

namespace edgeemo {

inline std::string bundle_path(const char* name) { return std::string(EDGEEMO_ZOO) + "/" + name + ".tflite"; }

inline const std::string kProgram = std::string("probe_program = ") + EDGEEMO_PROBE + "\n";
inline const std::string kPatient =
    kProgram + "probe_most_ratio = 1000000\n";  // the stand-in's times mean nothing

inline EngineOptions with(const std::string& delegate, const std::string& options) {
    EngineOptions made;
    made.library = EDGEEMO_STAND_IN;
    made.delegate = delegate;
    made.delegate_options = options;
    return made;
}

inline bool has(const std::string& text, const std::string& part) {
    if (text.find(part) != std::string::npos) return true;
    std::fprintf(stderr, "'%s' is not in '%s'\n", part.c_str(), text.c_str());
    return false;
}

inline bool has_children() { return waitpid(-1, nullptr, WNOHANG) >= 0; }

// A folder of the test's own, among those of its program, which `begin_with_no_folders` removes: a test that
// was killed leaves nothing for long.
class Folder {
  public:
    Folder() {
        std::filesystem::create_directories(EDGEEMO_SCRATCH);
        std::string name = EDGEEMO_SCRATCH "/XXXXXX";
        CHECK(mkdtemp(name.data()) != nullptr);
        path_ = name;
    }
    ~Folder() { std::filesystem::remove_all(path_); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    const std::string& path() const { return path_; }
    std::string records() const { return path_ + "/deep/records"; }
    std::string option() const { return "probe_records = " + records() + "\n"; }

  private:
    std::string path_;
};

inline void begin_with_no_folders() { std::filesystem::remove_all(EDGEEMO_SCRATCH); }

inline ModelBytes text_model() { return Bundle::open(bundle_path("text")).model; }

inline Verdict probe(const std::string& options) { return probe_gpu(text_model(), with("gpu", options), {}); }

// A helper of these lines in place of edgeemo-probe: the options for it.
inline std::string script(const Folder& folder, const std::string& lines) {
    const std::string path = folder.path() + "/helper";
    std::ofstream(path) << "#!/bin/sh\n" << lines;
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    return "probe_program = " + path + "\n" + folder.option();
}

inline OpenedEngine open_on(const std::string& delegate, const std::string& options) {
    return open_engine(text_model(), with(delegate, options), {});
}

}  // namespace edgeemo
