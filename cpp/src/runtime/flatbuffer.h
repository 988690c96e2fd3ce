// Reading a flatbuffer that may be anything: every access is checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "edgeemo/errors.h"

namespace edgeemo::flatbuffer {

[[noreturn]] inline void broken() {
    throw BundleCorruptError("the model's flatbuffer is broken; fetch or convert the bundle again");
}

struct Bytes {
    const std::uint8_t* data;
    std::size_t size;

    void need(std::size_t at, std::size_t n) const {
        if (at > size || n > size - at) broken();
    }

    template <class T>
    T get(std::size_t at) const {  // little-endian, as all our machines are
        need(at, sizeof(T));
        T value;
        std::memcpy(&value, data + at, sizeof value);
        return value;
    }

    std::size_t follow(std::size_t at) const {  // an offset forwards
        const auto offset = get<std::uint32_t>(at);
        if (offset == 0 || offset > size - at) broken();
        return at + offset;
    }
};

// Elements of `width` bytes from `begin` on; an absent vector has none.
struct Vector {
    std::size_t begin = 0, n = 0;
};

class Table {
  public:
    Table(const Bytes& bytes, std::size_t at) : bytes_(&bytes), at_(at) {
        if (at % 4 != 0) broken();
        const std::int64_t vtable = static_cast<std::int64_t>(at) - bytes.get<std::int32_t>(at);
        if (vtable < 0 || vtable % 2 != 0) broken();
        vtable_ = static_cast<std::size_t>(vtable);
        n_ = bytes.get<std::uint16_t>(vtable_);
        length_ = bytes.get<std::uint16_t>(vtable_ + 2);
        if (n_ < 4 || n_ % 2 != 0 || length_ < 4) broken();
        bytes.need(vtable_, n_);
        bytes.need(at, length_);
    }

    template <class T>
    T scalar(unsigned field, T otherwise) const {
        const std::size_t at = place(field, sizeof(T));
        return at == 0 ? otherwise : bytes_->get<T>(at);
    }

    bool has(unsigned field) const { return place(field, 1) != 0; }

    Table table(unsigned field) const {
        const std::size_t at = place(field, 4);
        if (at == 0) broken();
        return Table(*bytes_, bytes_->follow(at));
    }

    Vector vector(unsigned field, std::size_t width) const {
        const std::size_t at = place(field, 4);
        if (at == 0) return {};
        const std::size_t begin = bytes_->follow(at);
        const std::size_t n = bytes_->get<std::uint32_t>(begin);
        if (begin % 4 != 0 || n > bytes_->size / width) broken();
        bytes_->need(begin + 4, n * width);
        return {begin + 4, n};
    }

    std::string text(unsigned field) const {
        const Vector v = vector(field, 1);
        if (v.n != 0) bytes_->need(v.begin, v.n + 1);  // its closing NUL, too
        if (v.n != 0 && bytes_->data[v.begin + v.n] != 0) broken();
        return std::string(reinterpret_cast<const char*>(bytes_->data) + v.begin, v.n);
    }

    Table at(const Vector& tables, std::size_t i) const {
        return Table(*bytes_, bytes_->follow(tables.begin + 4 * i));
    }

    template <class T>
    T element(const Vector& v, std::size_t i) const {
        return bytes_->get<T>(v.begin + sizeof(T) * i);
    }

  private:
    std::size_t place(unsigned field, std::size_t width) const {
        const std::size_t entry = 4 + 2 * static_cast<std::size_t>(field);
        if (entry + 2 > n_) return 0;
        const std::size_t offset = bytes_->get<std::uint16_t>(vtable_ + entry);
        if (offset == 0) return 0;
        if (offset < 4 || offset + width > length_) broken();
        return at_ + offset;
    }

    const Bytes* bytes_;
    std::size_t at_, vtable_ = 0, n_ = 0, length_ = 0;
};

}  // namespace edgeemo::flatbuffer
