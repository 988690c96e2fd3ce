// LiteRT's C API as far as we use it, found at run time: prototypes of our own, no headers, nothing to link.
//
// Tested with releases 1.4.0 to 2.3.0. One function changed its arguments: from 2.1.6 on models are made in
// an environment. The same release brought LiteRtCreateModelFromFd, by whose presence we tell.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>

namespace edgeemo::litert {

using Handle = void*;
using Status = int;  // 0 is success

// The value of an option of an environment: 24 bytes.
struct Any {
    std::int32_t type = 0;  // 2: a whole number; 8: text
    union {
        std::int64_t number;
        const char* text;
    };
};
struct EnvironmentOption {
    EnvironmentOption(std::int32_t t, std::int64_t number) : tag(t), value{2, {number}} {}
    EnvironmentOption(std::int32_t t, const char* text) : tag(t), value{8, {}} { value.text = text; }
    std::int32_t tag;
    Any value;
};
static_assert(sizeof(EnvironmentOption) == 24);

// A tensor's type is handed from one function of the library to another; we look at nothing but its first
// field. It has 72 bytes; more are there in case it grows.
struct TensorType {
    std::int32_t element = 0;
    std::uint8_t rest[252] = {};
};

inline constexpr int kCpu = 1, kGpu = 2;
inline constexpr int kHostMemory = 1;

// name, arguments
#define EDGEEMO_LITERT_REQUIRED(F)                                                           \
    F(CreateEnvironment, (int, const EnvironmentOption*, Handle*))                           \
    F(CreateOptions, (Handle*))                                                              \
    F(SetOptionsHardwareAccelerators, (Handle, int))                                         \
    F(AddOpaqueOptions, (Handle, Handle))                                                    \
    F(CreateCompiledModel, (Handle, Handle, Handle, Handle*))                                \
    F(GetModelSignature, (Handle, std::size_t, Handle*))                                     \
    F(GetSignatureSubgraph, (Handle, Handle*))                                               \
    F(GetSubgraphInput, (Handle, std::size_t, Handle*))                                      \
    F(GetSubgraphOutput, (Handle, std::size_t, Handle*))                                     \
    F(GetRankedTensorType, (Handle, TensorType*))                                            \
    F(GetCompiledModelInputBufferRequirements, (Handle, std::size_t, std::size_t, Handle*))  \
    F(GetCompiledModelOutputBufferRequirements, (Handle, std::size_t, std::size_t, Handle*)) \
    F(GetTensorBufferRequirementsBufferSize, (Handle, std::size_t*))                         \
    F(GetTensorBufferHostMemory, (Handle, void**))                                           \
    F(RunCompiledModel, (Handle, std::size_t, std::size_t, Handle*, std::size_t, Handle*))

#define EDGEEMO_LITERT_OPTIONAL(F)                                                             \
    F(CreateOpaqueOptions, (const char*, void*, void (*)(void*), Handle*))                     \
    F(CreateCpuOptions, (Handle*))                                                             \
    F(FindCpuOptions, (Handle, Handle*))                                                       \
    F(SetCpuOptionsNumThread, (Handle, int))                                                   \
    F(CreateManagedTensorBufferFromRequirements, (Handle, const TensorType*, Handle, Handle*)) \
    F(CreateManagedTensorBuffer, (Handle, int, const TensorType*, std::size_t, Handle*))       \
    F(GetNumAccelerators, (Handle, std::size_t*))                                              \
    F(GetAccelerator, (Handle, std::size_t, Handle*))                                          \
    F(GetAcceleratorHardwareSupport, (Handle, int*))

#define EDGEEMO_LITERT_DESTROYERS(F) \
    F(DestroyEnvironment) F(DestroyModel) F(DestroyOptions) F(DestroyCompiledModel) F(DestroyTensorBuffer)

// The first of these places, relative to the folder this code was loaded from, at which a program lies; "" if
// none.
std::string beside_us(std::initializer_list<const char*> places);

// LiteRT's accelerator for GPUs uses the dot product of ARM without asking: on a Cortex-A72 (Raspberry Pi 4)
// merely loading it ends the process. Throws DelegateError there.
void check_processor();

// The functions of one library. It stays loaded until the process ends: its threads and statics may outlive
// us.
class Library {
  public:
    // `path`: of the library, or empty for the usual places. Throws RuntimeUnavailableError.
    explicit Library(const std::string& path);

    Status create_model(Handle environment, const void* bytes, std::size_t size, Handle* model) const;
    // In the host's memory, or in what the delegate likes best.
    Status create_buffer(Handle environment, const TensorType& type, Handle requirements, bool in_host,
                         Handle* buffer) const;
    void quiet() const;  // releases before 2.1.6 have one logger for the process
    bool has_fd() const { return model_in_environment_; }
    const std::string& path() const { return path_; }
    std::string folder() const;  // where it really lies, without a slash at the end; "" if nobody knows

#define EDGEEMO_DECLARE(name, arguments) Status(*name) arguments = nullptr;
    EDGEEMO_LITERT_REQUIRED(EDGEEMO_DECLARE)
    EDGEEMO_LITERT_OPTIONAL(EDGEEMO_DECLARE)
#undef EDGEEMO_DECLARE
#define EDGEEMO_DECLARE(name) void (*name)(Handle) = nullptr;
    EDGEEMO_LITERT_DESTROYERS(EDGEEMO_DECLARE)
#undef EDGEEMO_DECLARE

  private:
    void* find(const char* name) const;      // without "LiteRt"; null if absent
    void* required(const char* name) const;  // throws RuntimeUnavailableError

    void* handle_ = nullptr;
    std::string path_;
    void* create_model_ = nullptr;
    bool model_in_environment_ = false;
};

}  // namespace edgeemo::litert
