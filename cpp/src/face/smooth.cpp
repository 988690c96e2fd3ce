#include "edgeemo/smooth.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "base/exact_math.h"
#include "base/specs.h"
#include "edgeemo/errors.h"

namespace edgeemo {
namespace {

constexpr double kLeastEvidence = 1e-9;  // below it a mean is rounding errors

// The share of what was that is left after so many time constants.
double left_after(double constants) { return constants < 700.0 ? exact::exp(-constants) : 0.0; }

void check_row(const float* row, std::size_t size, double evidence) {
    if (!(evidence >= 0.0 && evidence <= 1.0))
        throw InputError("evidence must be in [0, 1], got " + text_of(evidence));
    for (std::size_t i = 0; i < size; ++i) {
        if (!std::isfinite(row[i]))
            throw InputError("number " + std::to_string(i) + " of the row is not finite; check the model");
    }
}

}  // namespace

Smoother::Smoother(std::size_t size, double time_ms) : size_(size), time_ms_(time_ms) {
    check_range("size", static_cast<double>(size), 1.0, 1e6);
    check_range("time_ms", time_ms, 0.0, 60000.0);
}

void Smoother::add(Memory& m, const float* row, double evidence, std::int64_t t_ms) const {
    const double age = static_cast<double>(t_ms) - static_cast<double>(m.t_ms);
    const double left = time_ms_ > 0.0 ? left_after(age / time_ms_) : 0.0;
    const double share = 1.0 - left;                   // of the time this row stands for
    const double old = m.alone ? left * share : left;  // now it is known how long the first one stood
    for (std::size_t i = 0; i < size_; ++i)
        m.sum[i] = old * m.sum[i] + share * evidence * static_cast<double>(row[i]);
    m.weight = old * m.weight + share * evidence;
    m.time = old * m.time + share;
    m.alone = false;
    m.t_ms = t_ms;
}

Smoother::Memory& Smoother::begin(std::int64_t key) {
    if (spare_.empty()) return memories_[key];
    Memories::node_type node = std::move(spare_.back());
    spare_.pop_back();
    node.key() = key;
    return memories_.insert(std::move(node)).position->second;
}

double Smoother::update(std::int64_t key, const float* row, double evidence, std::int64_t t_ms, float* mean) {
    check_row(row, size_, evidence);
    const auto found = memories_.find(key);
    if (found != memories_.end() && t_ms < found->second.t_ms) {
        throw InputError("t_ms went back from " + std::to_string(found->second.t_ms) + " to " +
                         std::to_string(t_ms) + "; pass rows in the order of their times, or call reset()");
    }
    Memory& m = found == memories_.end() ? begin(key) : found->second;
    if (found == memories_.end()) {
        m.t_ms = t_ms;
        m.weight = evidence;
        m.time = 1.0;
        m.alone = true;
        m.mean.assign(size_, 0.0F);
        m.sum.clear();
        for (std::size_t i = 0; i < size_; ++i) m.sum.push_back(evidence * static_cast<double>(row[i]));
    } else if (t_ms > m.t_ms) {
        add(m, row, evidence, t_ms);
    }
    if (m.weight > kLeastEvidence * m.time) {
        for (std::size_t i = 0; i < size_; ++i) m.mean[i] = static_cast<float>(m.sum[i] / m.weight);
    }
    std::copy(m.mean.begin(), m.mean.end(), mean);
    return std::min(m.weight / m.time, 1.0);
}

void Smoother::keep(const std::vector<std::int64_t>& keys) {
    for (auto it = memories_.begin(); it != memories_.end();) {
        const bool stays = std::find(keys.begin(), keys.end(), it->first) != keys.end();
        const auto here = it++;
        if (!stays) spare_.push_back(memories_.extract(here));
    }
}

}  // namespace edgeemo
