// Delegates other than the CPU: tried in a child process, compared with the CPU, kept on record.
//
// A GPU's accelerator is foreign code over a foreign driver: it may be absent, crash, hang, be slow, or
// answer wrongly. So a helper program, edgeemo-probe, loads the model on both, compares their answers and
// times them. Only what passed comes into this process, and there it must give the CPU's answers once more.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "edgeemo/engine.h"

namespace edgeemo {

// One input of a model that has one: bytes of its own type, or of float32 where that is int8.
using Golden = std::vector<std::uint8_t>;
using Goldens = std::function<std::vector<Golden>()>;  // made when they are needed; may be empty

// EngineOptions::delegate_options, read. Lines "key = value"; those whose keys begin with probe_ are ours:
struct DelegateOptions {
    std::string program;              // probe_program: path of the helper; empty: beside this library
    std::string records;              // probe_records: folder of what was found; empty: nothing is kept
    std::int32_t timeout_ms = 20000;  // probe_timeout_ms: then the helper is killed; 100 to 600000
    double most_ratio = 1.0;  // probe_most_ratio: run time in the CPU's up to which a delegate is used
    std::string rest;         // the delegate's own lines
};
DelegateOptions read_delegate_options(std::string_view lines);  // throws InputError

// The result of a probe.
struct Verdict {
    bool usable =
        false;  // it lives and answers as the CPU does; whether it is quick enough, the asker decides
    double ratio = 0.0;  // its time for a run over the CPU's; 0: edgeemo did not time a run
    std::string reason;  // why not; if usable, why the verdict could not be kept, or ""
};

// Tries the GPU in a child process, which is ended after the timeout, and puts the verdict on record. A
// crash there never reaches this process. Throws InputError (options) and RuntimeUnavailableError (no
// LiteRT).
Verdict probe_gpu(const ModelBytes& model, const EngineOptions& options, const Goldens& goldens);

struct OpenedEngine {
    Engine engine;
    std::string delegate;  // what runs: "cpu" or "gpu"
    std::string reason;    // why
};

// An engine on the delegate asked for. "gpu" is probed unless a good verdict is on record, and works or is a
// DelegateError. "auto" is the GPU if a good verdict is on record, else the CPU; it never probes and never
// fails because of a delegate. A GPU gives the CPU's answers to the goldens, or is not used, and the record
// then says so. If the last process that loaded it here died of that, neither loads it before probe_gpu has
// tried it. Throws what Engine throws, and InputError for options.
OpenedEngine open_engine(const ModelBytes& model, const EngineOptions& options, const Goldens& goldens);

// How `other` answers differently from the CPU, to the goldens, zeros and (but ids) noise: a sentence, or "".
//
// A delegate may calculate in float where the CPU rounds to int8 in between. An answer may differ by a tenth
// of the range of the CPU's answers plus a step of int8. The mean difference may be a fiftieth plus a step.
// An answer must not be NaN.
std::string difference(ModelRunner& cpu, ModelRunner& other, const std::vector<Golden>& goldens);

}  // namespace edgeemo
