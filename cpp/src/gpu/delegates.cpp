#include "edgeemo/delegates.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "base/json.h"
#include "base/sha256.h"
#include "edgeemo/errors.h"
#include "gpu/probe_request.h"
#include "gpu/record.h"
#include "gpu/trial.h"
#include "runtime/litert.h"

namespace edgeemo {
namespace {

constexpr std::string_view kOurs = "probe_";

std::string_view trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t\r");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

double number_of(std::string_view key, std::string_view value, double least, double most) {
    double number = std::numeric_limits<double>::quiet_NaN();
    try {
        const json::Value read = json::parse(value);
        if (read.is(json::Value::Kind::number)) number = read.number;
    } catch (const BundleCorruptError&) {  // not JSON's number; said below
    }
    if (number >= least && number <= most) return number;
    throw InputError(std::string(key) + " is '" + std::string(value) + "': expected a number from " +
                     std::to_string(static_cast<long>(least)) + " to " +
                     std::to_string(static_cast<long>(most)));
}

std::string program_of(const DelegateOptions& options) {
    return options.program.empty()
               ? litert::beside_us({"edgeemo/edgeemo-probe", "native/lib/edgeemo/edgeemo-probe"})
               : options.program;
}

EngineOptions on(const char* delegate, const EngineOptions& options, const DelegateOptions& read) {
    EngineOptions same = options;
    same.delegate = delegate;
    same.delegate_options = read.rest;
    return same;
}

std::vector<Golden> made(const Goldens& goldens) { return goldens ? goldens() : std::vector<Golden>{}; }

Tried try_gpu(const ModelBytes& model, const EngineOptions& options, const DelegateOptions& read,
              const Goldens& goldens) {
    try {
        litert::check_processor();
    } catch (const DelegateError& error) {
        return {{false, 0.0, error.what()}, true};
    }
    const std::string program = program_of(read);
    if (program.empty())
        return {{false, 0.0,
                 "there is no edgeemo-probe to try it beside edgeemo; install edgeemo whole, or name it by "
                 "probe_program"},
                false};
    const std::vector<Golden> inputs = made(goldens);
    for (const Golden& input : inputs)
        if (input.size() != inputs[0].size())
            return {{false, 0.0, "its golden inputs differ in size"}, false};
    const std::string library = litert::Library(options.library).path();  // ours: the helper lies elsewhere
    ProbeRequest head;
    head.threads = static_cast<std::uint64_t>(options.threads);
    head.model = model.size;
    head.goldens = inputs.size();
    head.golden = inputs.empty() ? 0 : inputs[0].size();
    head.library = library.size();
    head.options = read.rest.size();
    const std::array<char, 16> padding{};
    Pieces pieces{
        {&head, sizeof head}, {model.data, model.size}, {padding.data(), (16 - model.size % 16) % 16}};
    for (const Golden& input : inputs) pieces.emplace_back(input.data(), input.size());
    pieces.emplace_back(library.data(), library.size());
    pieces.emplace_back(read.rest.data(), read.rest.size());
    return try_in_child({program}, pieces, read.timeout_ms, kGpuBegins, options.waiting);
}

// Where verdicts on this model stand, and what stands there.
struct Record {
    std::string folder, key;
    Recalled found;
};

Record record_of(const ModelBytes& model, const EngineOptions& options, const DelegateOptions& read) {
    Record record;
    record.folder = read.records;
    if (record.folder.empty()) return record;
    record.key = record_key(litert::Library(options.library).folder(), sha256_hex(model.data, model.size),
                            options.threads, read.rest);
    record.found = recall(record.folder, record.key);
    return record;
}

// Returns the problem, or "".
std::string note(const Record& record, const Verdict& verdict) {
    return record.folder.empty() ? "" : put_on_record(record.folder, record.key, verdict);
}

// If the verdict could not be kept, `trouble` says why; the verdict is valid all the same.
Verdict probe_and_note(const ModelBytes& model, const EngineOptions& options, const DelegateOptions& read,
                       const Goldens& goldens, const Record& record, std::string& trouble) {
    const Tried tried = try_gpu(model, options, read, goldens);
    if (tried.of_delegate) trouble = note(record, tried.verdict);
    return tried.verdict;
}

// In this process, beside the CPU. Throws what Engine throws, and DelegateError if the answers differ; the
// word on record is then that.
Engine open_gpu(const ModelBytes& model, const EngineOptions& options, const DelegateOptions& read,
                Engine& cpu, const std::vector<Golden>& goldens, const Record& record) {
    try {
        Engine gpu(model, on("gpu", options, read));
        const std::string wrong = difference(cpu, gpu, goldens);
        if (!wrong.empty()) throw DelegateError(wrong);
        return gpu;
    } catch (const std::exception& error) {  // whatever a driver throws
        note(record, {false, 0.0, error.what()});
        throw;
    }
}

OpenedEngine open_named_gpu(const ModelBytes& model, const EngineOptions& options,
                            const DelegateOptions& read, const Goldens& goldens) {
    const auto refuse = [](const std::string& why) {
        throw DelegateError("The GPU cannot be used: " + why + ". Use delegate 'auto' or 'cpu'.");
    };
    Engine cpu(model, on("cpu", options, read));
    const Record record = record_of(model, options, read);
    Verdict verdict = record.found.verdict.value_or(Verdict{});
    if (record.found.died) refuse(verdict.reason);
    const bool known = verdict.usable && too_slow(verdict.ratio, read.most_ratio).empty() &&
                       access(record.folder.c_str(), W_OK) == 0;  // else nothing would tell of a crash

    std::string trouble;  // an open needs no record
    if (!known) verdict = probe_and_note(model, options, read, goldens, record, trouble);
    if (!verdict.usable) refuse(verdict.reason);
    if (const std::string slow = too_slow(verdict.ratio, read.most_ratio); !slow.empty()) refuse(slow);
    const std::string why =
        "asked for; a run took " + in_times(verdict.ratio) + " of the CPU's time in the probe";
    const std::vector<Golden> inputs = made(goldens);
    const Opening opening(record.folder, record.key);
    try {
        return {open_gpu(model, options, read, cpu, inputs, record), "gpu", why};
    } catch (const std::exception& error) {
        refuse(error.what());
    }
    return {std::move(cpu), "cpu", ""};  // never reached
}

OpenedEngine open_best(const ModelBytes& model, const EngineOptions& options, const DelegateOptions& read,
                       const Goldens& goldens) {
    Engine cpu(model, on("cpu", options, read));
    const bool any =
        access(read.records.c_str(), F_OK) == 0;  // most never probe, and should not wait for a digest
    const Record record = any ? record_of(model, options, read) : Record{};
    const auto stay = [&](const std::string& why) { return OpenedEngine{std::move(cpu), "cpu", why}; };
    if (!record.found.verdict) {
        return stay("XNNPACK on the CPU: no probe of the GPU is on record for this machine and model" +
                    (record.found.trouble.empty() ? "" : " (" + record.found.trouble + ")") +
                    "; `edgeemo delegates`, or edgeemo_probe in C, makes one");
    }
    const Verdict& verdict = *record.found.verdict;
    if (!verdict.usable) return stay("the GPU is not used: " + verdict.reason);
    if (const std::string slow = too_slow(verdict.ratio, read.most_ratio); !slow.empty())
        return stay("the GPU is not used: " + slow);
    const std::vector<Golden> inputs = made(goldens);  // if these fail, no delegate is to blame
    const Opening opening(record.folder, record.key);
    if (!opening.trouble().empty()) return stay("the GPU is not used: " + opening.trouble());
    try {
        return {open_gpu(model, options, read, cpu, inputs, record), "gpu",
                "a run took " + in_times(verdict.ratio) + " of the CPU's time in the probe"};
    } catch (const std::exception& error) {
        return stay(std::string("the GPU is not used: ") + error.what());
    }
}

}  // namespace

DelegateOptions read_delegate_options(std::string_view lines) {
    DelegateOptions options;
    while (!lines.empty()) {
        const std::size_t end = lines.find('\n');
        const std::string_view line = trimmed(lines.substr(0, end));
        lines.remove_prefix(end == std::string_view::npos ? lines.size() : end + 1);
        if (line.empty()) continue;
        const std::size_t sign = line.find('=');
        const std::string_view key = trimmed(line.substr(0, sign));
        if (sign == std::string_view::npos || key.empty())
            throw InputError("delegate_options has the line '" + std::string(line) +
                             "': expected key = value");
        const std::string_view value = trimmed(line.substr(sign + 1));
        if (key.substr(0, kOurs.size()) != kOurs) {
            options.rest += std::string(key) + " = " + std::string(value) + "\n";
        } else if (key == "probe_program") {
            options.program = value;
        } else if (key == "probe_records") {
            options.records = value;
        } else if (key == "probe_timeout_ms") {
            options.timeout_ms = static_cast<std::int32_t>(number_of(key, value, 100, 600000));
        } else if (key == "probe_most_ratio") {
            options.most_ratio = number_of(key, value, 0, 1000000);
        } else {
            throw InputError("there is no option " + std::string(key) +
                             ": expected probe_program, probe_records, probe_timeout_ms or probe_most_ratio");
        }
    }
    return options;
}

Verdict probe_gpu(const ModelBytes& model, const EngineOptions& options, const Goldens& goldens) {
    const DelegateOptions read = read_delegate_options(options.delegate_options);
    std::string trouble;
    Verdict verdict = probe_and_note(model, options, read, goldens, record_of(model, options, read), trouble);
    if (!verdict.usable) return verdict;
    const std::string slow = too_slow(verdict.ratio, read.most_ratio);
    verdict.usable = slow.empty();
    verdict.reason = !slow.empty() ? slow : trouble.empty() ? "" : "the verdict is not kept: " + trouble;
    return verdict;
}

OpenedEngine open_engine(const ModelBytes& model, const EngineOptions& options, const Goldens& goldens) {
    const DelegateOptions read = read_delegate_options(options.delegate_options);
    if (options.delegate == "gpu") return open_named_gpu(model, options, read, goldens);
    if (options.delegate == "auto") return open_best(model, options, read, goldens);
    return {Engine(model, on(options.delegate.c_str(), options, read)), options.delegate, "asked for"};
}

}  // namespace edgeemo
