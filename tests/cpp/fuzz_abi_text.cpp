// Any bytes as a text through the C ABI: an answer, the same twice. Byte 0 chooses the result.
#include "fuzz_abi.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static edgeemo_recognizer* const recognizer = fuzz::opened("text");
    fuzz::Choices choose(data, size);
    const std::uint32_t choice = choose.byte();
    fuzz::Answer answer(recognizer, choice), again(recognizer, choice);
    const auto text = fuzz::exactly(choose.size());
    if (choose.size() != 0) std::memcpy(text.get(), choose.data(), choose.size());
    const char* const bytes = reinterpret_cast<const char*>(text.get());
    CHECK(edgeemo_predict_text(recognizer, bytes, choose.size(), answer.get()) == EDGEEMO_OK);
    answer.check();
    CHECK(edgeemo_predict_text(recognizer, bytes, choose.size(), again.get()) == EDGEEMO_OK);
    CHECK(std::memcmp(answer.get()->scores, again.get()->scores, sizeof again.get()->scores) == 0);
    return 0;
}
