// Random bytes go as a bundle, a card, a model, and a file that the C ABI opens. Only errors of ours may
// leave; no code reads beyond the bytes.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <new>

#include "edgeemo/bundle.h"
#include "edgeemo/errors.h"
#include "fuzz_abi.h"
#include "runtime/model.h"

namespace {

template <class Work>
void refused_or_done(const Work& work) {
    try {
        work();
    } catch (const edgeemo::BundleError&) {
    } catch (const edgeemo::SpecError&) {
    } catch (const edgeemo::InferenceError&) {
    }
}

// A bundle that opens can be used.
void open_file(const std::uint8_t* data, std::size_t size) {
    const int file = memfd_create("bundle", MFD_CLOEXEC);
    CHECK(file >= 0 && write(file, data, size) == static_cast<ssize_t>(size));
    edgeemo_recognizer* opened = nullptr;
    const std::int32_t code = fuzz::open("/proc/self/fd/" + std::to_string(file), &opened);
    CHECK((opened != nullptr) == (code == EDGEEMO_OK));
    if (code == EDGEEMO_OK) {
        fuzz::Answer answer(opened, 0);
        fuzz::done(edgeemo_predict_text(opened, "well", 4, answer.get()));
    } else {
        CHECK(code == EDGEEMO_ERROR_CORRUPT || code == EDGEEMO_ERROR_VERSION ||
              code == EDGEEMO_ERROR_MISMATCH || code == EDGEEMO_ERROR_BUNDLE || code == EDGEEMO_ERROR_SPEC ||
              code == EDGEEMO_ERROR_INFERENCE);
        CHECK(std::strlen(edgeemo_last_error()) > 10);
    }
    edgeemo_close(opened);
    close(file);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto free = [](void* memory) { ::operator delete(memory, std::align_val_t{16}); };
    const std::shared_ptr<void> copy(::operator new(size, std::align_val_t{16}),
                                     free);  // to the byte, for ASan
    if (size != 0) std::memcpy(copy.get(), data, size);
    const auto* const bytes = static_cast<const std::uint8_t*>(copy.get());
    refused_or_done([&] { edgeemo::Bundle::from_bytes({bytes, size, copy}); });
    refused_or_done([&] { edgeemo::read_card({reinterpret_cast<const char*>(bytes), size}); });
    refused_or_done([&] { edgeemo::read_model(bytes, size); });
    open_file(data, size);
    return 0;
}
