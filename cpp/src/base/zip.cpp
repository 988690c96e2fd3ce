#include "base/zip.h"

#include <array>
#include <cstring>

#include "edgeemo/errors.h"

namespace edgeemo {
namespace {

constexpr std::string_view kCard = "edgeemo.json";
constexpr std::size_t kLocal = 30, kCentral = 46, kEnd = 22;
constexpr std::size_t kMostFiles = 16;

using Table = std::array<std::uint32_t, 256>;

Table crc_table() {
    Table t{};
    for (std::uint32_t i = 0; i < 256; ++i) {
        t[i] = i;
        for (int k = 0; k < 8; ++k) t[i] = (t[i] & 1) != 0 ? t[i] >> 1 ^ 0xEDB88320u : t[i] >> 1;
    }
    return t;
}

std::uint32_t crc32(std::string_view bytes) {
    static const Table t = crc_table();
    std::uint32_t c = 0xFFFFFFFFu;
    for (const char byte : bytes) c = c >> 8 ^ t[(c ^ static_cast<unsigned char>(byte)) & 255u];
    return ~c;
}

class Writer {
  public:
    Writer& u16(std::size_t x) { return number(x, 2); }
    Writer& u32(std::size_t x) { return number(x, 4); }
    Writer& raw(std::string_view bytes) {
        text += bytes;
        return *this;
    }
    std::string text;

  private:
    Writer& number(std::size_t x, int bytes) {
        for (int i = 0; i < bytes; ++i) text += static_cast<char>(x >> (8 * i) & 255u);
        return *this;
    }
};

// Version 2.0, no flags, stored, 0:00 on 1 January 1980, then CRC, sizes and the name's length.
std::string head_of(std::string_view name, std::string_view content) {
    Writer head;
    head.u16(20).u16(0).u16(0).u16(0).u16(0x21).u32(crc32(content)).u32(content.size()).u32(content.size());
    return head.u16(name.size()).u16(0).text;
}

std::size_t number_at(std::string_view data, std::size_t at, std::size_t bytes) {
    std::size_t x = 0;
    for (std::size_t i = 0; i < bytes; ++i)
        x |= std::size_t{static_cast<unsigned char>(data[at + i])} << (8 * i);
    return x;
}

class Reader {
  public:
    Reader(std::string_view data, const std::string& name) : data_(data), name_(name) {}

    Archive read() {
        if (data_.size() < kEnd || data_.substr(data_.size() - kEnd, 4) != std::string_view("PK\5\6"))
            no_end();
        const std::size_t end = data_.size() - kEnd;
        const std::size_t n = number_at(data_, end + 10, 2), size = number_at(data_, end + 12, 4);
        const std::size_t central = number_at(data_, end + 16, 4);
        if (n == 0 || n > kMostFiles || central > end || end - central != size) unlike();
        Archive archive;
        std::string directory;
        std::size_t at = central;
        for (std::size_t i = 0; i < n; ++i) {
            if (end - at < kCentral) unlike();
            const std::size_t length = number_at(data_, at + 28, 2), local = number_at(data_, at + 42, 4);
            if (end - at - kCentral < length) unlike();
            if (i == 0) archive.begin = local;
            const std::string file(data_.substr(at + kCentral, length));
            const std::size_t bytes = number_at(data_, at + 24, 4);
            directory += take(file, bytes, local, central);
            if (i != 0 && local != next_) unlike();
            next_ = local + kLocal + length + bytes;
            archive.files.emplace_back(file, data_.substr(local + kLocal + length, bytes));
            at += kCentral + length;
        }
        Writer tail;
        tail.raw(std::string_view("PK\5\6")).u16(0).u16(0).u16(n).u16(n).u32(size).u32(central).u16(0);
        if (next_ != central || directory + tail.text != data_.substr(central)) unlike();
        check_order(archive);
        return archive;
    }

  private:
    [[noreturn]] void unlike() const {
        throw BundleCorruptError(
            name_ + " is not laid out as edgeemo writes bundles. Fetch or convert the bundle again.");
    }

    [[noreturn]] void no_end() const {
        if (data_.size() > 8 && data_.substr(4, 4) == "TFL3")
            throw BundleCorruptError(name_ +
                                     " begins as a TFLite model but has no whole card behind it: a plain "
                                     ".tflite, or cut off. Make a bundle by `edgeemo convert`, or copy "
                                     "the file again.");
        throw BundleCorruptError(name_ + " is truncated or no bundle. Fetch or convert the bundle again.");
    }

    // Checks the local part of a file; returns what the directory must say of it.
    std::string take(const std::string& file, std::size_t bytes, std::size_t local,
                     std::size_t central) const {
        if (local > central || central - local < kLocal + file.size() ||
            central - local - kLocal - file.size() < bytes)
            unlike();
        const std::string head = head_of(file, data_.substr(local + kLocal + file.size(), bytes));
        if (data_.substr(local, kLocal + file.size()) != "PK\3\4" + head + file) unlike();
        Writer entry;
        entry.raw(std::string_view("PK\1\2")).u16(20 | 3 << 8).raw(head).u16(0).u16(0).u16(0);
        return entry.u32(std::size_t{0644} << 16).u32(local).raw(file).text;
    }

    void check_order(const Archive& archive) const {
        for (std::size_t i = 1; i < archive.files.size(); ++i) {
            const auto& [before, a] = archive.files[i - 1];
            const auto& [name, b] = archive.files[i];
            const bool sorted = name != kCard && (before == kCard || before < name);
            if (!sorted) unlike();
        }
    }

    std::string_view data_;
    const std::string& name_;
    std::size_t next_ = 0;
};

}  // namespace

Archive read_archive(std::string_view data, const std::string& name) { return Reader(data, name).read(); }

}  // namespace edgeemo
