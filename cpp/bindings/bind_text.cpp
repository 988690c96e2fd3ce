#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <string_view>

#include "arguments.h"
#include "bindings.h"
#include "edgeemo/text.h"

namespace py = pybind11;
using edgeemo::TextCounts;
using edgeemo::TextFrontend;
using edgeemo::TextSpec;

namespace {

using Ids = py::array_t<std::int32_t>;

// The ids of one text and what was seen of it.
struct Encoding {
    Ids ids;
    TextCounts counts;
};

std::vector<Text> all_texts(const py::object& texts) {
    if (PyUnicode_Check(texts.ptr()) || PyBytes_Check(texts.ptr()) || !PySequence_Check(texts.ptr())) {
        raise_expected("a sequence of str or bytes", texts, "put single texts into a list");
    }
    const auto items = py::reinterpret_steal<py::object>(PySequence_Fast(texts.ptr(), "expected a sequence"));
    if (!items) throw py::error_already_set();
    std::vector<Text> all;
    all.reserve(static_cast<std::size_t>(PySequence_Fast_GET_SIZE(items.ptr())));
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(items.ptr()); ++i) {
        all.emplace_back(PySequence_Fast_GET_ITEM(items.ptr(), i));
    }
    return all;
}

TextFrontend make(const TextSpec& spec, const py::object& vocab) {
    std::vector<std::string> pieces;
    for (const Text& piece : all_texts(vocab)) pieces.emplace_back(piece.bytes);
    py::gil_scoped_release unlocked;
    return TextFrontend(spec, pieces);
}

Encoding encode(const TextFrontend& frontend, const py::object& object) {
    const Text text(object);
    Encoding result{Ids(frontend.spec().length), {}};
    std::int32_t* const ids = result.ids.mutable_data();
    py::gil_scoped_release unlocked;
    result.counts = frontend.encode(text.bytes, ids);
    return result;
}

Ids compute_batch(const TextFrontend& frontend, const py::object& object) {
    const std::vector<Text> texts = all_texts(object);
    const auto length = static_cast<std::size_t>(frontend.spec().length);
    Ids result({static_cast<py::ssize_t>(texts.size()), static_cast<py::ssize_t>(length)});
    std::int32_t* ids = result.mutable_data();
    py::gil_scoped_release unlocked;
    for (const Text& text : texts) {
        frontend.encode(text.bytes, ids);
        ids += length;
    }
    return result;
}

std::vector<Encoding> encode_batch(const TextFrontend& frontend, const py::object& object) {
    std::vector<Encoding> results;
    for (const Text& text : all_texts(object)) results.push_back(encode(frontend, text.owner));
    return results;
}

std::string normalize(const TextFrontend& frontend, const py::object& object) {
    const Text text(object);
    py::gil_scoped_release unlocked;
    return frontend.normalize(text.bytes);
}

std::vector<std::string> words(const TextFrontend& frontend, const py::object& object) {
    const Text text(object);
    py::gil_scoped_release unlocked;
    return frontend.words(text.bytes);
}

void bind_encoding(py::module_& m) {
    const auto count = [](std::int32_t TextCounts::* member) {
        return py::cpp_function([member](const Encoding& e) { return e.counts.*member; });
    };
    py::class_<Encoding>(m, "Encoding", "The ids of one text and what was seen of it up to the cut.")
        .def_property_readonly(
            "ids", [](const Encoding& e) { return e.ids; }, "int32 (length,), padded.")
        .def_property_readonly("n_ids", count(&TextCounts::n_ids), "Ids without padding, 0 to length.")
        .def_property_readonly(
            "n_words", count(&TextCounts::n_words),
            "Words with a piece before the cut; those made only of punctuation do not count.")
        .def_property_readonly(
            "n_understood", count(&TextCounts::n_understood),
            "Words, among n_words, cut entirely into known pieces; a longer word cut entirely\n"
            "into single characters is not understood.")
        .def_property_readonly(
            "truncated", [](const Encoding& e) { return e.counts.truncated; },
            "There was more text than length ids can hold.")
        .def("__repr__", [](const Encoding& e) {
            return "Encoding(n_ids=" + std::to_string(e.counts.n_ids) +
                   ", n_words=" + std::to_string(e.counts.n_words) +
                   ", n_understood=" + std::to_string(e.counts.n_understood) +
                   ", truncated=" + (e.counts.truncated ? "True)" : "False)");
        });
}

}  // namespace

void bind_text(py::module_& m) {
    bind_encoding(m);
    py::class_<TextFrontend>(
        m, "TextFrontend",
        "From text to ids: immutable, thread-safe, without the GIL while it works.\n\n"
        "vocab: pieces in the order of their ids; '##' marks continuation. It needs [PAD]\n"
        "and [UNK], with special_tokens [CLS] and [SEP]. At most 1,000,000 pieces of 1,024\n"
        "bytes. Raises SpecError when it is unusable.\n"
        "Texts are str or UTF-8 bytes; the frontend drops ill-formed bytes and lone surrogates.\n"
        "Anything else raises InputTypeError.")
        .def(py::init(&make), py::arg("spec"), py::arg("vocab"))
        .def_property_readonly(
            "spec", [](const TextFrontend& f) { return f.spec(); }, "The TextSpec.")
        .def_property_readonly("vocab_size", &TextFrontend::vocab_size, "Number of pieces.")
        .def(
            "compute", [](const TextFrontend& f, const py::object& text) { return encode(f, text).ids; },
            py::arg("text"), "The ids of a text: int32 (length,), cut or padded with [PAD].")
        .def("compute_batch", &compute_batch, py::arg("texts"),
             "The ids of a sequence of texts: int32 (n, length).")
        .def("encode", &encode, py::arg("text"), "The ids of a text and the counts of its words.")
        .def("encode_batch", &encode_batch, py::arg("texts"), "encode() of each text of a sequence.")
        .def("normalize", &normalize, py::arg("text"),
             "The whole text after normalisation: with 'bert' what BertNormalizer gives, with 'nfkc' the\n"
             "words with one blank between them. normalize(normalize(x)) == normalize(x) with 'nfkc'.")
        .def("words", &words, py::arg("text"), "The words of the whole text, as WordPiece gets them.");
}
