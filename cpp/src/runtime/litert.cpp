#include "runtime/litert.h"

#include <dlfcn.h>
#include <unistd.h>
#if defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include "edgeemo/errors.h"

namespace edgeemo::litert {
namespace {

constexpr const char* kRemedy = "install ai-edge-litert (pip), or name the path of libLiteRt.so";

// The folder from which the code at this address was loaded, without a slash at the end; "" if unknown.
std::string folder_of(const void* address) {
    Dl_info info{};
    if (dladdr(address, &info) == 0 || info.dli_fname == nullptr) return "";
    const std::string path = info.dli_fname;
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "" : path.substr(0, slash);
}

// The folder this code was loaded from, with a slash.
std::string own_folder() {
    static const int here = 0;
    const std::string folder = folder_of(&here);
    return folder.empty() ? "" : folder + "/";
}

void* open_library(const std::string& path) {
    return dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
}

std::string last_error() {
    const char* const error = dlerror();
    return error == nullptr ? "no reason given" : error;
}

[[noreturn]] void cannot_open(const std::string& why) {
    const bool old_system = why.find("GLIBC") != std::string::npos;
    throw RuntimeUnavailableError(
        "LiteRT cannot be opened (" + why + "); " +
        (old_system ? "this system is older than that release of LiteRT needs: name the path of an older one"
                    : kRemedy));
}

// The LiteRT that lies where a Python environment has it; "" if there is none.
std::string litert_beside_us() {
    const std::string here = own_folder();
    for (const char* const folder :
         {"", "../ai_edge_litert/", "../../ai_edge_litert/", "../../../ai_edge_litert/"}) {
        const std::string path = here + folder + "libLiteRt.so";
        if (!here.empty() && access(path.c_str(), F_OK) == 0) return path;
    }
    return "";
}

}  // namespace

std::string beside_us(std::initializer_list<const char*> places) {
    const std::string here = own_folder();
    for (const char* const place : places)
        if (!here.empty() && access((here + place).c_str(), X_OK) == 0) return here + place;
    return "";
}

void check_processor() {
#if defined(__aarch64__)
    if ((getauxval(AT_HWCAP) & HWCAP_ASIMDDP) == 0) {
        throw DelegateError(
            "this processor lacks the dot product instructions (ASIMDDP), which LiteRT's accelerator for "
            "GPUs "
            "needs");
    }
#endif
}

Library::Library(const std::string& path) : path_(path) {
    if (path_.empty()) path_ = litert_beside_us();
    if (!path_.empty()) {
        // report a file that cannot be loaded: else another LiteRT would take its place unseen
        handle_ = open_library(path_);
        if (handle_ == nullptr) cannot_open(last_error());
    }
    std::string why;
    for (const char* const name : {"libLiteRt.so", "libLiteRtRuntimeCApi.so"}) {
        if (handle_ != nullptr) break;
        path_ = name;
        handle_ = open_library(path_);
        if (handle_ == nullptr && why.empty()) why = last_error();
    }
    if (handle_ == nullptr) cannot_open(why);

    if (find("CreateCompiledModel") == nullptr) {
        throw RuntimeUnavailableError(path_ + " is not LiteRT, or older than 1.4; " + kRemedy);
    }
#define EDGEEMO_FIND(name, arguments) name = reinterpret_cast<decltype(name)>(required(#name));
    EDGEEMO_LITERT_REQUIRED(EDGEEMO_FIND)
#undef EDGEEMO_FIND
#define EDGEEMO_FIND(name, arguments) name = reinterpret_cast<decltype(name)>(find(#name));
    EDGEEMO_LITERT_OPTIONAL(EDGEEMO_FIND)
#undef EDGEEMO_FIND
#define EDGEEMO_FIND(name) name = reinterpret_cast<decltype(name)>(required(#name));
    EDGEEMO_LITERT_DESTROYERS(EDGEEMO_FIND)
#undef EDGEEMO_FIND
    create_model_ = required("CreateModelFromBuffer");
    model_in_environment_ = find("CreateModelFromFd") != nullptr;
    if (CreateManagedTensorBufferFromRequirements == nullptr) required("CreateManagedTensorBuffer");
}

void* Library::find(const char* name) const { return dlsym(handle_, (std::string("LiteRt") + name).c_str()); }

void* Library::required(const char* name) const {
    void* const found = find(name);
    if (found != nullptr) return found;
    throw RuntimeUnavailableError(path_ + " has no LiteRt" + name +
                                  ": a release this edgeemo does not know; use 1.4 to 2.3");
}

Status Library::create_model(Handle environment, const void* bytes, std::size_t size, Handle* model) const {
    if (model_in_environment_) {
        using Create = Status (*)(Handle, const void*, std::size_t, Handle*);
        return reinterpret_cast<Create>(create_model_)(environment, bytes, size, model);
    }
    using Create = Status (*)(const void*, std::size_t, Handle*);
    return reinterpret_cast<Create>(create_model_)(bytes, size, model);
}

Status Library::create_buffer(Handle environment, const TensorType& type, Handle requirements, bool in_host,
                              Handle* buffer) const {
    const bool can_choose = CreateManagedTensorBuffer != nullptr;
    if (CreateManagedTensorBufferFromRequirements != nullptr && !(in_host && can_choose))
        return CreateManagedTensorBufferFromRequirements(environment, &type, requirements, buffer);
    std::size_t size = 0;
    if (const Status status = GetTensorBufferRequirementsBufferSize(requirements, &size)) return status;
    return CreateManagedTensorBuffer(environment, kHostMemory, &type, size, buffer);
}

std::string Library::folder() const { return folder_of(reinterpret_cast<void*>(CreateEnvironment)); }

void Library::quiet() const {
    constexpr int kSilent = 4;
    const auto logger = reinterpret_cast<Handle (*)()>(find("GetDefaultLogger"));
    const auto set = reinterpret_cast<Status (*)(Handle, int)>(find("SetMinLoggerSeverity"));
    if (logger != nullptr && set != nullptr) set(logger(), kSilent);
}

}  // namespace edgeemo::litert
