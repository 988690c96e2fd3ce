// Running means of what a model says of the spans of a voice.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "online/recognizer_parts.h"

namespace edgeemo {

// The running evidence-weighted mean over spans; each weighs its evidence times its real frames.
struct Mean {
    std::vector<double> said;
    double weight = 0.0;
    std::int64_t frames = 0;

    void add(const float* row, double evidence, std::int32_t n_frames) {
        const double w = evidence * n_frames;
        for (std::size_t i = 0; i < said.size(); ++i) said[i] += w * static_cast<double>(row[i]);
        weight += w;
        frames += n_frames;
    }

    void reset() {
        std::fill(said.begin(), said.end(), 0.0);
        weight = 0.0;
        frames = 0;
    }

    double evidence() const {
        return frames == 0 ? 0.0 : std::min(weight / static_cast<double>(frames), 1.0);
    }

    void row(std::vector<float>& mixed) const {
        const double by = weight == 0.0 ? 1.0 : weight;
        for (std::size_t i = 0; i < mixed.size(); ++i) mixed[i] = static_cast<float>(said[i] / by);
    }
};

// One mean speaks of the voice, one of its bursts. A laugh need not be speech, so bursts weigh by their
// frames alone.
struct Means {
    Mean voice, bursts;

    explicit Means(const RecognizerParts& parts) {
        voice.said.resize(parts.readout.row_size());
        bursts.said.resize(parts.burst_row.size());
    }

    void add(const RecognizerParts& parts, const float* row, double evidence, std::int32_t n_frames) {
        voice.add(row, evidence, n_frames);
        bursts.add(parts.burst_row.data(), 1.0, n_frames);
    }

    void reset() {
        voice.reset();
        bursts.reset();
    }
};

}  // namespace edgeemo
