// The fields of a VoiceSpec and a VoiceStreamSpec, and the names of their choices.
#pragma once

#include <array>

#include "base/specs.h"
#include "edgeemo/utterances.h"
#include "edgeemo/voice.h"

namespace edgeemo {

constexpr auto names_of(VoiceSpec::WindowShape) { return std::array{"hann", "povey", "hamming"}; }
constexpr auto names_of(VoiceSpec::MelScale) { return std::array{"htk", "slaney", "kaldi"}; }
constexpr auto names_of(VoiceSpec::MelNorm) { return std::array{"none", "area"}; }
constexpr auto names_of(VoiceSpec::Compression) { return std::array{"log", "pcen"}; }
constexpr auto names_of(VoiceSpec::Normalization) { return std::array{"none", "level", "mean", "mean_std"}; }

template <>
struct Fields<VoiceSpec> {
    static constexpr const char* name = "VoiceSpec";

    template <class Spec, class Visit>
    static void visit(Spec& s, Visit&& field) {
        field("rate_hz", s.rate_hz, "Rate of the model, 8000 to 48000.");
        field("sample_scale", s.sample_scale, "Multiplies samples in ±1; kaldi's is 32768.");
        field("remove_dc", s.remove_dc, "Subtract the mean of each window.");
        field("preemphasis", s.preemphasis, "x[i] - a x[i - 1] inside each window, 0 (off) to 0.9999.");
        field("window", s.window, "Samples under one FFT, 32 to 4096.");
        field("hop", s.hop, "Samples from window to window, 1 to window.");
        field("fft", s.fft, "Points of the FFT: a power of two, window to 4096.");
        field("window_shape", s.window_shape, "'hann' (periodic), 'povey' or 'hamming' (symmetric).");
        field("mels", s.mels, "Mel bands, 1 to 256.");
        field("mel_scale", s.mel_scale, "'htk', 'slaney', or 'kaldi': HTK's, the triangles straight in mel.");
        field("mel_norm", s.mel_norm, "'none', or 'area': each triangle divided by half its width in Hz.");
        field("low_hz", s.low_hz, "Lower edge of the mel bands, from 0.");
        field("high_hz", s.high_hz, "Upper edge of the mel bands, at most rate_hz / 2.");
        field("compression", s.compression, "'log' (natural, of max(power, floor)) or 'pcen'.");
        field("floor", s.floor, "Least power under the logarithm, 1e-30 to 1.");
        field("pcen_gain", s.pcen_gain, "PCEN's alpha, 0 to 1.");
        field("pcen_bias", s.pcen_bias, "PCEN's delta, 1e-6 to 1e6.");
        field("pcen_power", s.pcen_power, "PCEN's r, 0.001 to 1.");
        field("pcen_time_s", s.pcen_time_s, "PCEN's time constant in seconds, 0.001 to 60.");
        field("pcen_eps", s.pcen_eps, "PCEN's epsilon, 1e-30 to 1.");
        field("span_frames", s.span_frames, "Frames a model sees at once, 1 to 4096.");
        field("hop_frames", s.hop_frames, "Frames from span to span, 1 to span_frames.");
        field("range_db", s.range_db, "Of a span's logarithms: what lies lower is raised; 0 (off) to 300.");
        field("normalization", s.normalization, "Of a span: 'none', 'level', 'mean' or 'mean_std'.");
        field("gain", s.gain, "Multiplies what is normalised, 1e-6 to 1e6.");
    }
};

template <>
struct Fields<VoiceStreamSpec> {
    static constexpr const char* name = "VoiceStreamSpec";

    template <class Spec, class Visit>
    static void visit(Spec& s, Visit&& field) {
        field("onset", s.onset,
              "Probability of speech that begins an utterance, 0.05 to 0.99; 0 is the card's threshold.");
        field("end", s.end, "Probability below which a pause begins, 0.01 to 0.99; never above the onset.");
        field("least_ms", s.least_ms,
              "Speech in an utterance, 0 to 2000 ms; the stream drops what is shorter.");
        field("hang_over_ms", s.hang_over_ms, "The pause that ends an utterance, 64 to 2000 ms.");
        field("most_ms", s.most_ms,
              "1000 to 60000 ms. Beyond half of it the shortest pause ends an utterance.");
    }
};

}  // namespace edgeemo
