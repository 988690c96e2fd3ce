#include "edgeemo/engine.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <numeric>
#include <utility>

#include "base/home.h"
#include "edgeemo/errors.h"
#include "runtime/litert.h"
#include "runtime/model.h"

namespace edgeemo {
namespace {

using litert::Handle;
using litert::Library;
using litert::Status;

// Options of an environment: the accelerators to look for, their folder, and silence. LiteRT looks only for
// the named accelerators, so without "gpu" it loads none of a GPU. Older releases ignore these options.
constexpr std::int32_t kLibraries = 22, kAccelerators = 24, kLeastSeverity = 25;
constexpr std::int64_t kSilent = 4;

// Inputs or outputs: in the library's order, and where each stands by name.
struct Side {
    std::vector<Handle> buffers;      // in the library's order
    std::vector<TensorInfo> tensors;  // sorted by name
    std::vector<void*> memory;        // of `tensors`
};

// LiteRT asks the system for the processor and refuses every model if the system does not answer.
bool knows_processor() { return access("/proc/cpuinfo", R_OK) == 0; }

void check(Status status, const char* what) {
    if (status == 0) return;
    throw InferenceError(std::string("LiteRT ") + what + " (status " + std::to_string(status) + "); " +
                         (knows_processor()
                              ? "convert the model again, or use another release of LiteRT"
                              : "it needs /proc/cpuinfo, which cannot be read here: mount /proc"));
}

// Whether a line "key = value" has that key.
bool names(const std::string& text, const std::string& key) {
    const std::string lines = "\n" + text;
    for (std::size_t at = lines.find("\n" + key); at != std::string::npos;
         at = lines.find("\n" + key, at + 1)) {
        const std::size_t sign = lines.find_first_not_of(" \t", at + 1 + key.size());
        if (sign != std::string::npos && lines[sign] == '=') return true;
    }
    return false;
}

// Options in text, for the delegate of that name.
Handle text_options(const Library& lib, const char* delegate, const std::string& text) {
    Handle opaque = nullptr;
    char* const payload = strdup(text.c_str());
    const Status status = lib.CreateOpaqueOptions(delegate, payload, &std::free, &opaque);
    if (status != 0) std::free(payload);
    check(status, "refuses options");
    return opaque;
}

// Threads are an option of the CPU delegate; how it is given changed with 2.1.4.
void set_threads(const Library& lib, Handle options, std::int32_t threads) {
    Handle opaque = nullptr;
    if (lib.CreateCpuOptions != nullptr && lib.FindCpuOptions != nullptr &&
        lib.SetCpuOptionsNumThread != nullptr) {
        Handle cpu = nullptr;
        check(lib.CreateCpuOptions(&opaque), "made no CPU options");
        check(lib.FindCpuOptions(opaque, &cpu), "made no CPU options");
        check(lib.SetCpuOptionsNumThread(cpu, threads), "refuses the number of threads");
    } else if (lib.CreateOpaqueOptions != nullptr) {
        opaque = text_options(lib, "xnnpack", "num_threads = " + std::to_string(threads) + "\n");
    } else {
        throw RuntimeUnavailableError(lib.path() + " takes no number of threads: use LiteRT 1.4 to 2.3");
    }
    check(lib.AddOpaqueOptions(options, opaque),
          "refuses the number of threads");  // now owned by the options
}

}  // namespace

struct Engine::State {
    explicit State(const EngineOptions& options) : lib(options.library) {}
    ~State() {
        if (home.left()) return;  // its threads, for which this would wait, are not here
        for (const Side* side : {&in, &out})
            for (const Handle buffer : side->buffers)
                if (buffer != nullptr) lib.DestroyTensorBuffer(buffer);  // before 2.3 it does not ask
        if (compiled != nullptr) lib.DestroyCompiledModel(compiled);
        if (model != nullptr) lib.DestroyModel(model);
        if (environment != nullptr) lib.DestroyEnvironment(environment);
    }

    void load(const EngineOptions& how) {
        lib.quiet();
        const int accelerators = how.delegate == "gpu" ? litert::kCpu | litert::kGpu : litert::kCpu;
        gpu = accelerators != litert::kCpu;
        if (gpu) litert::check_processor();  // an environment already loads the accelerator
        const std::string folder = lib.folder();
        std::vector<litert::EnvironmentOption> wishes;
        if (lib.has_fd()) wishes = {{kLeastSeverity, kSilent}, {kAccelerators, std::int64_t{accelerators}}};
        if (gpu) wishes.emplace_back(kLibraries, folder.c_str());
        check(lib.CreateEnvironment(static_cast<int>(wishes.size()), wishes.data(), &environment),
              "made no environment");
        if (gpu) find_gpu();
        check(lib.create_model(environment, bytes.data, bytes.size, &model), "refuses the model");
        Handle options = nullptr;
        check(lib.CreateOptions(&options), "made no options");
        const std::unique_ptr<void, void (*)(Handle)> owned(options, lib.DestroyOptions);
        check(lib.SetOptionsHardwareAccelerators(options, accelerators), "refuses its accelerators");
        set_threads(lib, options, how.threads);
        if (gpu) set_gpu(options, how.delegate_options);
        const Status status = lib.CreateCompiledModel(environment, model, options, &compiled);
        if (gpu && status != 0) {
            throw DelegateError("LiteRT's accelerator cannot run this model here (status " +
                                std::to_string(status) + "): no GPU, or no driver of Vulkan for it");
        }
        check(status, "refuses the model");
    }

    // Without an accelerator for it, LiteRT would run a model for "gpu" on the CPU and say nothing.
    void find_gpu() {
        std::size_t n = 0;
        bool found = false;
        if (lib.GetNumAccelerators != nullptr && lib.GetAccelerator != nullptr &&
            lib.GetAcceleratorHardwareSupport != nullptr && lib.GetNumAccelerators(environment, &n) == 0) {
            for (std::size_t i = 0; i < n && !found; ++i) {
                Handle accelerator = nullptr;
                int kinds = 0;
                found = lib.GetAccelerator(environment, i, &accelerator) == 0 &&
                        lib.GetAcceleratorHardwareSupport(accelerator, &kinds) == 0 &&
                        (kinds & litert::kGpu) != 0;
            }
        }
        if (found) return;
        throw DelegateError("there is no accelerator for GPUs beside " + lib.path() +
                            " (the package ai-edge-litert has one we can use from 2.1.4 on)");
    }

    void set_gpu(Handle options, const std::string& text) const {
        if (lib.CreateOpaqueOptions == nullptr)
            throw DelegateError(lib.path() + " takes no options for a GPU (2.1.4 to 2.3 do)");
        const std::string all = (names(text, "precision") ? "" : "precision = 2\n") + text;
        check(lib.AddOpaqueOptions(options, text_options(lib, "gpu_options", all)),
              "refuses options of the GPU");
    }

    void make_buffers(Side& side, std::vector<TensorInfo> tensors, bool input) {
        Handle signature = nullptr, graph = nullptr;
        check(lib.GetModelSignature(model, 0, &signature), "finds no signature");
        check(lib.GetSignatureSubgraph(signature, &graph), "finds no graph");
        std::vector<void*> memory;
        for (std::size_t i = 0; i < tensors.size(); ++i) {
            Handle tensor = nullptr, needs = nullptr;
            check((input ? lib.GetSubgraphInput : lib.GetSubgraphOutput)(graph, i, &tensor),
                  "lacks a tensor");
            litert::TensorType type;
            check(lib.GetRankedTensorType(tensor, &type), "knows no type of a tensor");
            check((input ? lib.GetCompiledModelInputBufferRequirements
                         : lib.GetCompiledModelOutputBufferRequirements)(compiled, 0, i, &needs),
                  "knows no size of a tensor");
            std::size_t size = 0;
            check(lib.GetTensorBufferRequirementsBufferSize(needs, &size), "knows no size of a tensor");
            if (size < tensors[i].bytes) {
                throw InferenceError("LiteRT gives " + tensors[i].name + " " + std::to_string(size) +
                                     " bytes, the model needs " + std::to_string(tensors[i].bytes) +
                                     "; use another release of LiteRT");
            }
            side.buffers.push_back(nullptr);
            check(lib.create_buffer(environment, type, needs, gpu, &side.buffers.back()), "made no tensor");
            memory.push_back(nullptr);
            check(lib.GetTensorBufferHostMemory(side.buffers.back(), &memory.back()),
                  "gives no tensor's memory");
        }
        std::vector<std::size_t> order(tensors.size());
        std::iota(order.begin(), order.end(), std::size_t{0});
        std::sort(order.begin(), order.end(),
                  [&](std::size_t a, std::size_t b) { return tensors[a].name < tensors[b].name; });
        for (const std::size_t i : order) {
            side.tensors.push_back(std::move(tensors[i]));
            side.memory.push_back(memory[i]);
        }
    }

    void run() {
        home.check();
        check(lib.RunCompiledModel(compiled, 0, in.buffers.size(), in.buffers.data(), out.buffers.size(),
                                   out.buffers.data()),
              "could not run the model");
    }

    // Twice on zeros: what we know of the library's functions holds if the same finite numbers come out.
    void self_test() {
        std::vector<std::vector<std::uint8_t>> first;
        for (std::size_t i = 0; i < in.tensors.size(); ++i) std::memset(in.memory[i], 0, in.tensors[i].bytes);
        run();
        for (std::size_t i = 0; i < out.tensors.size(); ++i) {
            const auto* const bytes = static_cast<const std::uint8_t*>(out.memory[i]);
            first.emplace_back(bytes, bytes + out.tensors[i].bytes);
            std::memset(out.memory[i], 0x55, out.tensors[i].bytes);
        }
        run();
        for (std::size_t i = 0; i < out.tensors.size(); ++i) {
            const TensorInfo& tensor = out.tensors[i];
            // a GPU may add in another order each time
            bool good = gpu || std::memcmp(first[i].data(), out.memory[i], tensor.bytes) == 0;
            const auto* const floats = static_cast<const float*>(out.memory[i]);
            for (std::size_t k = 0; tensor.type == ElementType::float32 && k < tensor.count; ++k)
                good = good && std::isfinite(floats[k]);
            if (!good) {
                throw InferenceError(
                    "the self-test failed: " + tensor.name +
                    " differs between two equal runs or is NaN; use another release of LiteRT");
            }
        }
    }

    Home home;
    Library lib;
    ModelBytes bytes;
    bool gpu = false;
    Handle environment = nullptr, model = nullptr, compiled = nullptr;
    Side in, out;
};

Engine::Engine(ModelBytes model, const EngineOptions& options) {
    if (options.threads < 1 || options.threads > kMostThreads) {
        throw InputError("threads is " + std::to_string(options.threads) +
                         ": expected a number from 1 to 64");
    }
    if (options.delegate != "auto" && options.delegate != "cpu" && options.delegate != "gpu") {
        throw DelegateError("There is no delegate '" + options.delegate +
                            "' in the native engine: expected 'auto', 'cpu' or 'gpu'.");
    }
    if (reinterpret_cast<std::uintptr_t>(model.data) % 16 != 0)
        throw InputError("the model's bytes must lie at a multiple of 16; copy them");
    ModelShape shape = read_model(model.data, model.size);
    state_ = std::make_unique<State>(options);
    state_->bytes = std::move(model);
    state_->load(options);
    state_->make_buffers(state_->in, std::move(shape.inputs), true);
    state_->make_buffers(state_->out, std::move(shape.outputs), false);
    state_->self_test();
}

Engine::~Engine() = default;
Engine::Engine(Engine&&) noexcept = default;
Engine& Engine::operator=(Engine&&) noexcept = default;

const std::vector<TensorInfo>& Engine::inputs() const { return state_->in.tensors; }
const std::vector<TensorInfo>& Engine::outputs() const { return state_->out.tensors; }
const std::string& Engine::library() const { return state_->lib.path(); }
void* Engine::input(std::size_t i) { return state_->in.memory[i]; }
const void* Engine::output(std::size_t i) const { return state_->out.memory[i]; }
void Engine::invoke() { state_->run(); }

}  // namespace edgeemo
