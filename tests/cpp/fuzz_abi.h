// The fuzz targets of the C ABI share recognizers on a stand-in for LiteRT, choices made from bytes, and
// checks of every answer.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "check.h"
#include "edgeemo/edgeemo.h"

namespace fuzz {

inline std::int32_t open(const std::string& bundle, edgeemo_recognizer** recognizer) {
    const std::string library = std::string(EDGEEMO_STAND_INS) + "/stand_in_good.so";
    edgeemo_options options{};
    options.struct_size = sizeof options;
    options.library = library.c_str();
    return edgeemo_open(bundle.c_str(), &options, recognizer);
}

// The recognizer of the bundle of that name; stays open.
inline edgeemo_recognizer* opened(const char* name) {
    edgeemo_recognizer* recognizer = nullptr;
    CHECK(open(std::string(EDGEEMO_ZOO) + "/" + name + ".tflite", &recognizer) == EDGEEMO_OK);
    return recognizer;
}

// The first bytes choose; what is left is the input.
class Choices {
  public:
    Choices(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}

    std::uint32_t byte() {
        if (size_ == 0) return 0;
        --size_;
        return *data_++;
    }
    std::uint32_t word() { return byte() | byte() << 8; }
    template <class Number>
    Number raw() {
        Number number{};
        for (std::size_t i = 0; i < sizeof number; ++i) {
            const auto some = static_cast<std::uint8_t>(byte());
            std::memcpy(reinterpret_cast<unsigned char*>(&number) + i, &some, 1);
        }
        return number;
    }
    const std::uint8_t* data() const { return data_; }
    std::size_t size() const { return size_; }

  private:
    const std::uint8_t* data_;
    std::size_t size_;
};

// Bytes of their own, to the byte, so that a sanitizer sees whoever reads beyond.
inline std::unique_ptr<std::uint8_t[]> exactly(std::size_t size) {
    return std::unique_ptr<std::uint8_t[]>(new std::uint8_t[size]());
}

// A result with room for some probabilities, as a caller of this header or of the first one has it.
class Answer {
  public:
    Answer(const edgeemo_recognizer* recognizer, std::uint32_t choice)
        : room_(choice % (edgeemo_n_labels(recognizer) + 3)),
          size_((choice & 128u) != 0 ? offsetof(edgeemo_result, track_id) : sizeof(edgeemo_result)),
          probabilities_(new float[room_]),
          memory_(exactly(size_)) {
        again();
    }

    edgeemo_result* get() { return reinterpret_cast<edgeemo_result*>(memory_.get()); }

    void again() {
        get()->struct_size = static_cast<std::uint32_t>(size_);
        get()->probabilities = probabilities_.get();
        get()->n_probabilities = room_;
    }

    void check() {
        const edgeemo_result& r = *get();
        CHECK(r.n_probabilities <= room_ && r.struct_size == size_);
        CHECK(r.label >= 0 && r.label < EDGEEMO_EMOTIONS);
        double sum = 0.0;
        for (const float score : r.scores) {
            CHECK(score >= 0.0F && score <= r.confidence);
            sum += static_cast<double>(score);
        }
        CHECK(std::fabs(sum - 1.0) < 1e-4);
        for (std::uint32_t i = 0; i < r.n_probabilities; ++i)
            CHECK(r.probabilities[i] >= 0.0F && r.probabilities[i] <= 1.0F);
        CHECK(std::fabs(r.valence) <= 1.0F && std::fabs(r.arousal) <= 1.0F);
        CHECK(r.evidence >= 0.0F && r.evidence <= 1.0F);
        CHECK(r.start_ms <= r.end_ms);
        if (size_ < sizeof r) return;
        CHECK(r.track_id >= 0 && r.face_score >= 0.0 && r.face_score <= 1.0);
        CHECK(r.box[0] <= r.box[2] && r.box[1] <= r.box[3]);
    }

  private:
    std::uint32_t room_;
    std::size_t size_;
    std::unique_ptr<float[]> probabilities_;
    std::unique_ptr<std::uint8_t[]> memory_;
};

// Whether it was done; else the input was refused, in words.
inline bool done(std::int32_t code) {
    if (code == EDGEEMO_OK) return true;
    CHECK(code == EDGEEMO_ERROR_INPUT || code == EDGEEMO_ERROR_SPEC);
    CHECK(std::strlen(edgeemo_last_error()) > 10);
    return false;
}

}  // namespace fuzz
