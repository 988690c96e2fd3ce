#include <cstdint>
#include <string>

#include "bindings.h"
#include "edgeemo/voice.h"
#include "errors.h"

namespace py = pybind11;
using edgeemo::VoiceSpec;

namespace {

[[noreturn]] void wrong_type(const char* field, const char* expected, py::handle value) {
    raise_spec_error(std::string(field) + " must be " + expected + ", got " + type_name(value) + " " +
                     py::repr(value).cast<std::string>());
}

// Lone surrogates, which UTF-8 has no bytes for, become "?".
std::string to_utf8(py::handle text) {
    const auto bytes =
        py::reinterpret_steal<py::bytes>(PyUnicode_AsEncodedString(text.ptr(), "utf-8", "replace"));
    if (!bytes) throw py::error_already_set();
    return bytes;
}

// Of each field, by its type: from Python …
void read(const char* field, py::handle value, bool& to) {
    if (!PyBool_Check(value.ptr())) wrong_type(field, "a bool", value);
    to = value.ptr() == Py_True;
}

void read(const char* field, py::handle value, std::int32_t& to) {
    if (!PyLong_Check(value.ptr()) || PyBool_Check(value.ptr())) wrong_type(field, "an int", value);
    int overflow = 0;
    const long long n = PyLong_AsLongLongAndOverflow(value.ptr(), &overflow);
    if (overflow != 0 || n < INT32_MIN || n > INT32_MAX) wrong_type(field, "a smaller number", value);
    to = static_cast<std::int32_t>(n);
}

void read(const char* field, py::handle value, double& to) {
    const bool number = PyFloat_Check(value.ptr()) || PyLong_Check(value.ptr());
    if (!number || PyBool_Check(value.ptr())) wrong_type(field, "a float", value);
    to = PyFloat_AsDouble(value.ptr());
    if (PyErr_Occurred() != nullptr) {
        PyErr_Clear();
        wrong_type(field, "a smaller number", value);
    }
}

template <class Choice>
void read(const char* field, py::handle value, Choice& to) {
    if (!PyUnicode_Check(value.ptr())) wrong_type(field, "a str", value);
    edgeemo::set_by_name(to_utf8(value), to);
}

// … and to Python.
py::object shown(bool value) { return py::bool_(value); }
py::object shown(std::int32_t value) { return py::int_(value); }
py::object shown(double value) { return py::float_(value); }
template <class Choice>
py::object shown(Choice value) {
    return py::str(name_of(value));
}

// Every field, sorted by name.
template <class Spec, class Visit>
void visit(Spec& s, Visit&& field) {
    field("compression", s.compression, "'log' (natural, of max(power, floor)) or 'pcen'.");
    field("fft", s.fft, "Points of the FFT: a power of two, window to 4096.");
    field("floor", s.floor, "Least power under the logarithm, 1e-30 to 1.");
    field("gain", s.gain, "Multiplies what is normalised, 1e-6 to 1e6.");
    field("high_hz", s.high_hz, "Upper edge of the mel bands, at most rate_hz / 2.");
    field("hop", s.hop, "Samples from window to window, 1 to window.");
    field("hop_frames", s.hop_frames, "Frames from span to span, 1 to span_frames.");
    field("low_hz", s.low_hz, "Lower edge of the mel bands, from 0.");
    field("mel_norm", s.mel_norm, "'none', or 'area': each triangle divided by half its width in Hz.");
    field("mel_scale", s.mel_scale, "'htk', 'slaney', or 'kaldi': HTK's, the triangles straight in mel.");
    field("mels", s.mels, "Mel bands, 1 to 256.");
    field("normalization", s.normalization, "Of a span: 'none', 'level', 'mean' or 'mean_std'.");
    field("pcen_bias", s.pcen_bias, "PCEN's delta, 1e-6 to 1e6.");
    field("pcen_eps", s.pcen_eps, "PCEN's epsilon, 1e-30 to 1.");
    field("pcen_gain", s.pcen_gain, "PCEN's alpha, 0 to 1.");
    field("pcen_power", s.pcen_power, "PCEN's r, 0.001 to 1.");
    field("pcen_time_s", s.pcen_time_s, "PCEN's time constant in seconds, 0.001 to 60.");
    field("preemphasis", s.preemphasis, "x[i] - a x[i - 1] inside each window, 0 (off) to 0.9999.");
    field("rate_hz", s.rate_hz, "Rate of the model, 8000 to 48000.");
    field("remove_dc", s.remove_dc, "Subtract the mean of each window.");
    field("sample_scale", s.sample_scale, "Multiplies samples in ±1; kaldi's is 32768.");
    field("span_frames", s.span_frames, "Frames a model sees at once, 1 to 4096.");
    field("window", s.window, "Samples under one FFT, 32 to 4096.");
    field("window_shape", s.window_shape, "'hann' (periodic), 'povey' or 'hamming' (symmetric).");
}

void set_field(VoiceSpec& spec, const std::string& key, py::handle value) {
    bool known = false;
    std::string keys;
    visit(spec, [&](const char* name, auto& field, const char*) {
        keys += (keys.empty() ? "" : ", ") + std::string(name);
        if (key != name) return;
        known = true;
        read(name, value, field);
    });
    if (!known) raise_spec_error("unknown key '" + key + "' in a VoiceSpec; the keys are " + keys);
}

VoiceSpec from_dict(const py::object& object) {
    if (!PyDict_Check(object.ptr()))
        raise_spec_error("a VoiceSpec is made from a dict, got " + type_name(object));
    VoiceSpec spec;
    for (const auto& [key, value] : py::reinterpret_borrow<py::dict>(object)) {
        set_field(spec, to_utf8(py::str(key)), value);
    }
    spec.validate();
    return spec;
}

py::dict to_dict(const VoiceSpec& spec) {
    py::dict d;
    visit(spec, [&](const char* name, const auto& field, const char*) { d[name] = shown(field); });
    return d;
}

std::string repr(const VoiceSpec& spec) {
    std::string text = "VoiceSpec(";
    const char* separator = "";
    for (const auto& [key, value] : to_dict(spec)) {
        text += separator + py::str(key).cast<std::string>() + "=" + py::repr(value).cast<std::string>();
        separator = ", ";
    }
    return text + ")";
}

py::tuple output(const VoiceSpec& spec) {
    return py::make_tuple(py::make_tuple(spec.span_frames, spec.mels), "float32");
}

}  // namespace

void bind_voice_spec(py::module_& m) {
    m.attr("VOICE_FRONTEND_VERSION") = edgeemo::kVoiceFrontendVersion;
    py::class_<VoiceSpec> spec(m, "VoiceSpec",
                               "How PCM becomes features: a read-only value.\n\n"
                               "Raises SpecError for an unknown key, a wrong type or a value out of range.");
    spec.def(py::init([](const py::kwargs& fields) { return from_dict(fields); }))
        .def_static("from_dict", &from_dict, py::arg("fields"),
                    "The spec of a dict as to_dict makes it; absent keys have their defaults.\n"
                    "Raises SpecError for an unknown key, a wrong type or a value out of range.")
        .def("to_dict", &to_dict, "All fields by name, sorted.")
        .def_property_readonly("digest", &VoiceSpec::digest, "16 hexadecimal digits; equal for equal specs.")
        .def_property_readonly("output", &output,
                               "Shape and dtype of a span: ((span_frames, mels), 'float32').")
        .def(
            "__eq__", [](const VoiceSpec& a, const VoiceSpec& b) { return a == b; }, py::is_operator())
        .def(
            "__ne__", [](const VoiceSpec& a, const VoiceSpec& b) { return a != b; }, py::is_operator())
        .def("__hash__", [](const VoiceSpec& s) { return py::hash(py::str(s.digest())); })
        .def("__repr__", &repr)
        .def(py::pickle(&to_dict, [](const py::dict& fields) { return from_dict(fields); }));
    VoiceSpec defaults;
    visit(defaults, [&](const char* name, auto&, const char* meaning) {
        const std::string key = name;
        const auto get = [key](const VoiceSpec& s) {
            py::object found;
            visit(s, [&](const char* field, const auto& value, const char*) {
                if (key == field) found = shown(value);
            });
            return found;
        };
        spec.def_property_readonly(name, get, meaning);
    });
}
