// A library with LiteRT's functions that computes nothing: tensors of the model's own sizes, and on demand a
// fault. The file's name says which fault: stand_in_<fault>.so, read from EDGEEMO_STAND_IN at build time.
// After stand_in_fail(first, n) of all runs from then on, counted from 0, first … first + n - 1 fail. It has
// a GPU, too, which gives the answers of the CPU and obeys its options: "fault = sigill" and so on.
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "edgeemo/engine.h"
#include "runtime/model.h"

namespace {

constexpr std::string_view kFault = EDGEEMO_STAND_IN;

struct Model {
    edgeemo::ModelShape shape;
};

struct Buffer {
    void* memory;
};

struct Needs {
    std::size_t size;
};

struct Compiled {
    Model* model;
    std::vector<Needs> in, out;
    int runs = 0;
    std::string gpu_fault;
};

struct Options {
    int accelerators = 0;
    std::string gpu;
};

bool in_probe() { return std::string_view(program_invocation_short_name) == "edgeemo-probe"; }

// How a GPU fails when a model is loaded: 0 if it does not.
int fail_to_load(const std::string& fault) {
    if (fault == "sigill") std::raise(SIGILL);
    if (fault == "sigsegv") std::raise(SIGSEGV);
    if (fault == "sigabrt") std::raise(SIGABRT);
    if (fault == "exit") _exit(7);
    if (fault == "crash_here" && !in_probe()) std::raise(SIGSEGV);
    while (fault == "hang" || (fault == "hang_here" && !in_probe())) pause();
    if (fault == "device_here" && !in_probe()) return 3;
    return fault == "device" ? 3 : 0;
}

int runs_until_failure = 0, runs_to_fail = 0;

std::size_t size_of(const edgeemo::TensorInfo& info) { return (info.bytes + 63) / 64 * 64; }

}  // namespace

#define API extern "C" __attribute__((visibility("default")))
using Handle = void*;

API void stand_in_fail(int first, int n) {
    runs_until_failure = first;
    runs_to_fail = n;
}

API int LiteRtCreateEnvironment(int, const void*, Handle* made) {
    *made = new int(0);
    return kFault == "no_environment" ? 1 : 0;
}
API void LiteRtDestroyEnvironment(Handle h) { delete static_cast<int*>(h); }

// The signature of 2.1.6 and later, which have LiteRtCreateModelFromFd.
API int LiteRtCreateModelFromFd() { return 1; }
API int LiteRtCreateModelFromBuffer(Handle environment, const void* bytes, std::size_t size, Handle* made) {
    if (environment == nullptr || kFault == "no_model") return 501;
    *made = new Model{edgeemo::read_model(static_cast<const std::uint8_t*>(bytes), size)};
    return 0;
}
API void LiteRtDestroyModel(Handle h) { delete static_cast<Model*>(h); }

API int LiteRtCreateOptions(Handle* made) {
    *made = new Options();
    return 0;
}
API void LiteRtDestroyOptions(Handle h) { delete static_cast<Options*>(h); }
API int LiteRtSetOptionsHardwareAccelerators(Handle h, int accelerators) {
    static_cast<Options*>(h)->accelerators = accelerators;
    return 0;
}
API int LiteRtAddOpaqueOptions(Handle h, Handle opaque) {
    static_cast<Options*>(h)->gpu += *static_cast<std::string*>(opaque);
    delete static_cast<std::string*>(opaque);
    return 0;
}
API int LiteRtCreateOpaqueOptions(const char* whose, void* payload, void (*destroy)(void*), Handle* made) {
    const bool gpu = std::string_view(whose) == "gpu_options";
    *made = new std::string(gpu ? static_cast<const char*>(payload) : "");
    destroy(payload);
    return 0;
}

API int LiteRtGetNumAccelerators(Handle, std::size_t* n) {
    *n = 2;
    return 0;
}
API int LiteRtGetAccelerator(Handle, std::size_t i, Handle* made) {
    static int kinds[] = {1, 2};
    *made = &kinds[i];
    return 0;
}
API int LiteRtGetAcceleratorHardwareSupport(Handle accelerator, int* kinds) {
    *kinds = *static_cast<int*>(accelerator);
    return 0;
}

API int LiteRtCreateCompiledModel(Handle, Handle model, Handle h, Handle* made) {
    const auto* const options = static_cast<Options*>(h);
    std::string fault;
    if ((options->accelerators & 2) != 0) {
        const std::size_t at = options->gpu.find("fault = ");
        if (at != std::string::npos)
            fault = options->gpu.substr(at + 8, options->gpu.find('\n', at) - at - 8);
        if (const int status = fail_to_load(fault)) return status;
        if (fault == "coarse" && options->gpu.find("precision = 2\n") == std::string::npos) return 3;
    }
    auto* const compiled = new Compiled{static_cast<Model*>(model), {}, {}, 0, fault};
    for (const auto& info : compiled->model->shape.inputs) compiled->in.push_back({size_of(info)});
    for (const auto& info : compiled->model->shape.outputs)
        compiled->out.push_back({kFault == "small" ? 1 : size_of(info)});
    *made = compiled;
    return 0;
}
API void LiteRtDestroyCompiledModel(Handle h) { delete static_cast<Compiled*>(h); }

API int LiteRtGetModelSignature(Handle model, std::size_t, Handle* made) {
    *made = model;
    return 0;
}
API int LiteRtGetSignatureSubgraph(Handle signature, Handle* made) {
    *made = signature;
    return 0;
}
API int LiteRtGetSubgraphInput(Handle graph, std::size_t, Handle* made) {
    *made = graph;
    return 0;
}
API int LiteRtGetSubgraphOutput(Handle graph, std::size_t, Handle* made) {
    *made = graph;
    return 0;
}
API int LiteRtGetRankedTensorType(Handle, void*) { return 0; }
API int LiteRtGetCompiledModelInputBufferRequirements(Handle h, std::size_t, std::size_t i, Handle* made) {
    *made = &static_cast<Compiled*>(h)->in[i];
    return 0;
}
API int LiteRtGetCompiledModelOutputBufferRequirements(Handle h, std::size_t, std::size_t i, Handle* made) {
    *made = &static_cast<Compiled*>(h)->out[i];
    return 0;
}
API int LiteRtGetTensorBufferRequirementsBufferSize(Handle needs, std::size_t* size) {
    *size = static_cast<Needs*>(needs)->size;
    return 0;
}
API int LiteRtCreateManagedTensorBufferFromRequirements(Handle, const void*, Handle needs, Handle* made) {
    if (kFault == "no_buffer") return 5;
    *made = new Buffer{std::aligned_alloc(64, static_cast<Needs*>(needs)->size)};
    return 0;
}
API int LiteRtCreateManagedTensorBuffer(Handle, int, const void*, std::size_t size, Handle* made) {
    *made = new Buffer{std::aligned_alloc(64, size)};
    return 0;
}
API void LiteRtDestroyTensorBuffer(Handle h) {  // null is a crash, as before 2.3
    std::free(static_cast<Buffer*>(h)->memory);
    delete static_cast<Buffer*>(h);
}
#if !defined(EDGEEMO_LACKS_MEMORY)
API int LiteRtGetTensorBufferHostMemory(Handle buffer, void** memory) {
    *memory = static_cast<Buffer*>(buffer)->memory;
    return 0;
}
#endif

// Every number of an output depends on all bytes of the inputs and on its place. So another engine's outputs
// differ, and so do the cells of a detector.
API int LiteRtRunCompiledModel(Handle h, std::size_t, std::size_t n_in, Handle* in, std::size_t n_out,
                               Handle* out) {
    auto* const compiled = static_cast<Compiled*>(h);
    ++compiled->runs;
    if (kFault == "run" && compiled->runs > 2) return 3;
    if (runs_to_fail > 0 && --runs_until_failure < 0) {
        --runs_to_fail;
        return 3;
    }
    unsigned sum = kFault == "unsteady" ? static_cast<unsigned>(compiled->runs) : 0;
    const std::string gpu = compiled->runs > 2 ? compiled->gpu_fault : "";  // passes the self-test at load
    if (gpu == "crash") std::raise(SIGSEGV);
    if (gpu == "throw_here" && !in_probe()) throw std::length_error("a driver's own");
    if (gpu == "slow") usleep(3000);
    if (gpu == "wrong" || (gpu == "wrong_here" && !in_probe())) sum += 41;
    for (std::size_t i = 0; i < n_in; ++i) {
        const auto* const bytes = static_cast<const std::uint8_t*>(static_cast<Buffer*>(in[i])->memory);
        for (std::size_t k = 0; k < compiled->model->shape.inputs[i].bytes; ++k) sum += bytes[k];
    }
    const unsigned most = 1 + sum % 150;  // so that some answers are all alike, and few cells have a face
    for (std::size_t i = 0; i < n_out; ++i) {
        const edgeemo::TensorInfo& info = compiled->model->shape.outputs[i];
        void* const memory = static_cast<Buffer*>(out[i])->memory;
        if (info.type == edgeemo::ElementType::float32) {
            for (std::size_t k = 0; k < info.count; ++k) {
                const float value = gpu == "nan" ? std::numeric_limits<float>::quiet_NaN()
                                                 : static_cast<float>((sum + k) % 7) / 8.0F;
                std::memcpy(static_cast<float*>(memory) + k, &value, 4);
            }
        } else {
            for (std::size_t k = 0; k < info.bytes; ++k)
                static_cast<std::uint8_t*>(memory)[k] = static_cast<std::uint8_t>((sum + k * k * 7) % most);
        }
    }
    return 0;
}
