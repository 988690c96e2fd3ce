// Any bytes as a bundle, as a card and as a model: only errors of ours may leave, nothing is read beyond the
// bytes.
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>

#include "edgeemo/bundle.h"
#include "edgeemo/errors.h"
#include "model.h"

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
    return 0;
}
