// Keeps the verdicts of probes in small files: one for each machine, driver, LiteRT, model and way to run
// it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/file.h"
#include "edgeemo/delegates.h"

namespace edgeemo {

// 64 hexadecimal digits over everything that a verdict on the GPU depends on. These are the machine's name,
// kernel, graphics cards and Vulkan drivers, and the files of LiteRT in `folder`. The model, threads and the
// GPU's own options count, too. Files count by name, size and time.
std::string record_key(const std::string& folder, const std::string& model_sha256, std::int32_t threads,
                       const std::string& gpu_options);

// The lines of such a key about the drivers that a manifest of Vulkan, or a folder of manifests, names.
std::string drivers_at(const std::string& place);

// A mark of a process that is loading foreign code into itself: what one leaves behind says that it died.
//
// While it lives, a file `folder`/`key`.opening-… stands, locked by this process: the system opens the lock
// when the process ends, however that happens. Without a folder there is no mark.
class Opening {
  public:
    Opening(const std::string& folder, const std::string& key);
    ~Opening();
    Opening(const Opening&) = delete;
    Opening& operator=(const Opening&) = delete;
    const std::string& trouble() const { return trouble_; }  // why there is no mark, or ""

  private:
    File file_;
    std::string path_, trouble_;
};

// A whole number that is all of a text; a negative number if the text is anything else.
std::int64_t whole_number(std::string_view text);

struct Recalled {
    std::optional<Verdict> verdict;
    bool died = false;    // the verdict is that a process which opened it here did not come back
    std::string trouble;  // why a file that is there was not believed
};

// The verdict in `folder`/`key`.probe, or what a mark left behind says. A file that is damaged, too long, no
// plain file, or that others may write or own (but root) is not believed.
Recalled recall(const std::string& folder, const std::string& key);

// Writes the verdict whole or not at all, folders included, then removes old marks. Returns the problem, or
// "".
std::string put_on_record(const std::string& folder, const std::string& key, const Verdict& verdict);

}  // namespace edgeemo
