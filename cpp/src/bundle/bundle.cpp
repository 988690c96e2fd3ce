#include "edgeemo/bundle.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>

#include "base/sha256.h"
#include "base/zip.h"
#include "edgeemo/errors.h"

namespace edgeemo {
namespace {

constexpr const char* kCardName = "edgeemo.json";
constexpr const char* kOnlyAsset = "vocab.txt";
constexpr const char* kAgain = " Fetch or convert the bundle again.";
constexpr std::size_t kAlignment = 16;

std::string_view text_of(const ModelBytes& bytes) {
    return {reinterpret_cast<const char*>(bytes.data), bytes.size};
}

std::string digest_of(std::string_view bytes) {
    return sha256_hex(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

std::string base_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

ModelBytes read_file(const std::string& path) {
    struct stat status{};
    if (stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode))
        throw BundleNotFoundError("There is no bundle '" + path + "': expected the path of a file.");
    const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "rbe"), &std::fclose);
    if (!file) {
        throw BundleError(path + " cannot be read: " + std::strerror(errno) +
                          ". Check the path and its rights.");
    }
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size > kFileLimit)
        throw BundleCorruptError(base_of(path) + " has more than the 64 MiB of a bundle." + kAgain);
    const auto free = [](void* memory) { ::operator delete(memory, std::align_val_t{kAlignment}); };
    const std::shared_ptr<void> memory(::operator new(size + 1, std::align_val_t{kAlignment}), free);
    const std::size_t got = std::fread(memory.get(), 1, size + 1, file.get());
    if (got != size) throw BundleError(path + " changed while it was read. Read it again.");
    return {static_cast<const std::uint8_t*>(memory.get()), size, memory};
}

void check_sizes(const Archive& archive, const std::string& name) {
    std::size_t assets = 0;
    for (const auto& [file, content] : archive.files) {
        if (file == kCardName) {
            if (content.size() > kCardLimit)
                throw BundleCorruptError(name + " has a card of more than 64 KiB." + kAgain);
            continue;
        }
        if (file != kOnlyAsset)
            throw BundleCorruptError(name + " has unknown assets: '" + file + "'; allowed: " + kOnlyAsset +
                                     ".");
        assets += content.size();
    }
    if (assets > kAssetsLimit)
        throw BundleCorruptError(name + " has more than 4 MiB of assets; shorten them.");
}

// Errors name the bundle.
Card card_of(std::string_view json, const std::string& name) {
    const auto said = [&](const std::exception& error) { return name + ": " + error.what(); };
    try {
        return read_card(json);
    } catch (const BundleVersionError& error) {
        throw BundleVersionError(said(error));
    } catch (const BundleError& error) {
        throw BundleCorruptError(said(error));
    } catch (const SpecError& error) {
        throw SpecError(said(error) + ". Convert it again.");
    }
}

}  // namespace

Bundle Bundle::open(const std::string& path) { return from_bytes(read_file(path), base_of(path)); }

Bundle Bundle::from_bytes(ModelBytes bytes, const std::string& name) {
    if (bytes.size > kFileLimit)
        throw BundleCorruptError(name + " has more than the 64 MiB of a bundle." + kAgain);
    const Archive archive = read_archive(text_of(bytes), name);
    check_sizes(archive, name);
    Bundle bundle;
    bundle.model = {bytes.data, archive.begin, bytes.keep};
    const std::string_view model = text_of(bundle.model);
    if (model.size() < 32 || model.substr(4, 4) != "TFL3")
        throw BundleCorruptError(name + " does not begin with a TFLite model." + kAgain);
    if (archive.files.front().first != kCardName)
        throw BundleCorruptError(name +
                                 " has no edgeemo.json: a plain .tflite? Make one by `edgeemo convert`.");
    bundle.card_json = archive.files.front().second;
    bundle.card = card_of(bundle.card_json, name);
    if (digest_of(model) != bundle.card.flatbuffer_sha256)
        throw BundleCorruptError(name + ": the model's bytes do not match the digest in its card." + kAgain);
    for (const auto& [file, content] : archive.files)
        if (file != kCardName) bundle.assets.emplace(file, content);
    bool match = bundle.assets.size() == bundle.card.assets.size();
    for (const auto& [file, content] : bundle.assets) {
        const auto found = bundle.card.assets.find(file);
        match = match && found != bundle.card.assets.end() && found->second == digest_of(content);
    }
    if (!match)
        throw BundleCorruptError(name + ": an asset is missing or does not match the card's digest." +
                                 kAgain);
    return bundle;
}

}  // namespace edgeemo
