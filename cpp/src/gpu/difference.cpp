// Whether two runners of a model give the same answers.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "edgeemo/delegates.h"

namespace edgeemo {
namespace {

constexpr int kNoises = 3;

// Fixed numbers for one input: noise for floats (in +-1) and int8, zeros for ids, whose range nobody knows.
void make_noise(const TensorInfo& tensor, std::uint32_t& seed, std::vector<std::uint8_t>& bytes) {
    bytes.assign(tensor.bytes, 0);
    if (tensor.type == ElementType::int32) return;
    for (std::size_t i = 0; i < tensor.count; ++i) {
        seed = seed * 1664525U + 1013904223U;
        const auto byte = static_cast<std::uint8_t>(seed >> 24U);
        if (tensor.type == ElementType::int8) {
            bytes[i] = byte;
        } else {
            const float value = (static_cast<float>(byte) - 127.5F) / 127.5F;
            std::memcpy(bytes.data() + i * sizeof value, &value, sizeof value);
        }
    }
}

void put_golden(ModelRunner& runner, const Golden& golden) {
    const TensorInfo& tensor = runner.inputs()[0];
    const bool floats = tensor.quantized() && golden.size() == tensor.count * sizeof(float);
    if (floats) {
        std::vector<float> values(tensor.count);
        std::memcpy(values.data(), golden.data(), golden.size());
        runner.write(0, values.data());
    } else {
        std::memcpy(runner.input(0), golden.data(), tensor.bytes);
    }
}

// The answers of an output, all trials after each other.
using Answers = std::vector<std::vector<float>>;  // one for each output

void run(ModelRunner& runner, Answers& answers) {
    runner.run();
    answers.resize(runner.outputs().size());
    for (std::size_t i = 0; i < answers.size(); ++i) {
        const std::size_t before = answers[i].size();
        answers[i].resize(before + runner.outputs()[i].count);
        runner.read(i, answers[i].data() + before);
    }
}

void answer(ModelRunner& runner, const std::vector<Golden>& goldens, Answers& answers) {
    for (const Golden& golden : goldens) {
        put_golden(runner, golden);
        run(runner, answers);
    }
    std::uint32_t seed = 1;
    std::vector<std::uint8_t> bytes;
    for (int noise = 0; noise <= kNoises; ++noise) {
        for (std::size_t i = 0; i < runner.inputs().size(); ++i) {
            const TensorInfo& tensor = runner.inputs()[i];
            make_noise(tensor, seed, bytes);
            if (noise == 0) std::fill(bytes.begin(), bytes.end(), std::uint8_t{0});
            std::memcpy(runner.input(i), bytes.data(), bytes.size());
        }
        run(runner, answers);
    }
}

// The same of one output, all its answers after each other.
std::string wrong_answers(const TensorInfo& tensor, const std::vector<float>& right,
                          const std::vector<float>& given) {
    const auto [low, high] = std::minmax_element(right.begin(), right.end());
    const float range = right.empty() ? 0.0F : *high - *low;
    double sum = 0.0, worst = 0.0;
    for (std::size_t k = 0; k < right.size(); ++k) {
        if (!std::isfinite(given[k])) return "its output " + tensor.name + " is not a number";
        const double error = std::fabs(static_cast<double>(given[k]) - right[k]);
        sum += error;
        worst = std::max(worst, error);
    }
    const double mean = right.empty() ? 0.0 : sum / static_cast<double>(right.size());
    if (worst <= range / 10 + tensor.scale && mean <= range / 50 + tensor.scale) return "";
    const double share = range > 0 ? worst / range * 100 : 100;
    return "its output " + tensor.name + " differs from the CPU's by up to " +
           std::to_string(std::lround(std::min(share, 9999.0))) + " % of its range";
}

}  // namespace

std::string difference(ModelRunner& cpu, ModelRunner& other, const std::vector<Golden>& goldens) {
    if (!goldens.empty()) {
        const bool one = cpu.inputs().size() == 1;
        const std::size_t own = one ? cpu.inputs()[0].bytes : 0;
        const std::size_t floats =
            one && cpu.inputs()[0].quantized() ? cpu.inputs()[0].count * sizeof(float) : own;
        for (const Golden& golden : goldens) {
            if (one && (golden.size() == own || golden.size() == floats)) continue;
            return "a golden input does not fit the model (convert the bundle again)";
        }
    }
    Answers right, given;
    answer(cpu, goldens, right);
    answer(other, goldens, given);
    for (std::size_t i = 0; i < right.size(); ++i)
        if (std::string wrong = wrong_answers(cpu.outputs()[i], right[i], given[i]); !wrong.empty())
            return wrong;
    return "";
}

}  // namespace edgeemo
