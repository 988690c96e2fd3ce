// Marks of processes that are loading foreign code into themselves: what one leaves behind says that it died.
#pragma once

#include <string>

#include "base/file.h"

namespace edgeemo {

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

// Whether a process that marked `key` ended before it took its mark back. Marks of the living say nothing:
// several processes and threads may open at once. Nor do those that others own (but root).
bool one_died(const std::string& folder, const std::string& key);

void forget_the_dead(const std::string& folder, const std::string& key);

}  // namespace edgeemo
