#include "base/exact_math.h"

#include <cmath>

namespace edgeemo::exact {
namespace {

constexpr double kPi = 3.14159265358979323846;
constexpr double kLn2High = 6.93147180369123816490e-01;  // 33 bits: n * kLn2High is exact
constexpr double kLn2Low = 1.90821492927058770002e-10;
constexpr double kSqrtHalf = 0.70710678118654752440;

// Taylor series for |x| <= pi / 4.
double sin_small(double x) {
    double sum = 0.0;
    for (int n = 21; n >= 3; n -= 2) sum = (sum + 1.0) * -(x * x) / (n * (n - 1));
    return x + x * sum;
}

double cos_small(double x) {
    double sum = 0.0;
    for (int n = 20; n >= 2; n -= 2) sum = (sum + 1.0) * -(x * x) / (n * (n - 1));
    return 1.0 + sum;
}

// The functions below take N numbers at once. Each number gets the operations, and so the bits, that it
// would get alone. One series waits for its own divisions; several side by side use that time.

// Taylor series of e^x - 1 for |x| < 0.4.
template <std::size_t N>
std::array<double, N> expm1_small(const std::array<double, N>& x) {
    std::array<double, N> sum{};
    for (int n = 18; n >= 2; --n) {
        for (std::size_t k = 0; k < N; ++k) sum[k] = (sum[k] + 1.0) * x[k] / n;
    }
    for (std::size_t k = 0; k < N; ++k) sum[k] = x[k] + x[k] * sum[k];
    return sum;
}

// 2 atanh(s) for |s| < 0.18.
template <std::size_t N>
std::array<double, N> twice_atanh(const std::array<double, N>& s) {
    std::array<double, N> square{};
    std::array<double, N> sum{};
    for (std::size_t k = 0; k < N; ++k) square[k] = s[k] * s[k];
    for (int n = 25; n >= 3; n -= 2) {
        const double part = 1.0 / n;
        for (std::size_t k = 0; k < N; ++k) sum[k] = (sum[k] + part) * square[k];
    }
    for (std::size_t k = 0; k < N; ++k) sum[k] = 2.0 * (s[k] + s[k] * sum[k]);
    return sum;
}

// e^x, or e^x - 1, which near 0 is the series itself.
template <bool kMinusOne, std::size_t N>
void exp_of(std::array<double, N>& x) {
    std::array<double, N> whole{};
    std::array<double, N> rest{};
    std::array<bool, N> small{};
    for (std::size_t k = 0; k < N; ++k) {
        small[k] = kMinusOne && std::fabs(x[k]) < 0.35;
        whole[k] = small[k] ? 0.0 : std::floor(x[k] / (kLn2High + kLn2Low) + 0.5);
        rest[k] = (x[k] - whole[k] * kLn2High) - whole[k] * kLn2Low;
    }
    const std::array<double, N> series = expm1_small(rest);
    for (std::size_t k = 0; k < N; ++k) {
        x[k] = small[k] ? series[k]
                        : std::ldexp(1.0 + series[k], static_cast<int>(whole[k])) - (kMinusOne ? 1.0 : 0.0);
    }
}

// log x, or log (1 + x), which near 0 is the series itself.
template <bool kOfOnePlus, std::size_t N>
void log_of(std::array<double, N>& x) {
    std::array<int, N> exponent{};
    std::array<double, N> s{};
    for (std::size_t k = 0; k < N; ++k) {
        if (kOfOnePlus && std::fabs(x[k]) < 0.3) {
            s[k] = x[k] / (2.0 + x[k]);
            continue;
        }
        double m = std::frexp(kOfOnePlus ? 1.0 + x[k] : x[k], &exponent[k]);
        if (m < kSqrtHalf) {
            m *= 2.0;
            --exponent[k];
        }
        s[k] = (m - 1.0) / (m + 1.0);
    }
    const std::array<double, N> series = twice_atanh(s);
    for (std::size_t k = 0; k < N; ++k) x[k] = exponent[k] * kLn2High + (series[k] + exponent[k] * kLn2Low);
}

// One number by a function of several.
template <class Function>
double alone(Function function, double x) {
    std::array<double, 1> one{x};
    function(one);
    return one[0];
}

}  // namespace

double sin_pi(double x) {
    x -= 2.0 * std::floor(x / 2.0 + 0.5);  // in [-1, 1)
    const double sign = x < 0.0 ? -1.0 : 1.0;
    double a = std::fabs(x);
    if (a > 0.5) a = 1.0 - a;
    return sign * (a <= 0.25 ? sin_small(kPi * a) : cos_small(kPi * (0.5 - a)));
}

double cos_pi(double x) {
    x = std::fabs(x - 2.0 * std::floor(x / 2.0 + 0.5));  // in [0, 1]
    const double sign = x > 0.5 ? -1.0 : 1.0;
    if (x > 0.5) x = 1.0 - x;
    return sign * (x <= 0.25 ? cos_small(kPi * x) : sin_small(kPi * (0.5 - x)));
}

double exp(double x) { return alone(exp_of<false, 1>, x); }
double expm1(double x) { return alone(exp_of<true, 1>, x); }
double log(double x) { return alone(log_of<false, 1>, x); }
double log1p(double x) { return alone(log_of<true, 1>, x); }

void exp(Several& x) { exp_of<false>(x); }
void expm1(Several& x) { exp_of<true>(x); }
void log(Several& x) { log_of<false>(x); }
void log1p(Several& x) { log_of<true>(x); }

double bessel_i0(double x) {
    double sum = 1.0;
    double term = 1.0;
    for (int n = 1; term > sum * 1e-17; ++n) {
        term *= (x / (2.0 * n)) * (x / (2.0 * n));
        sum += term;
    }
    return sum;
}

}  // namespace edgeemo::exact
