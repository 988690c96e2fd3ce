#include "exact_math.h"

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

// Taylor series of e^x - 1 for |x| < 0.4.
double expm1_small(double x) {
    double sum = 0.0;
    for (int n = 18; n >= 2; --n) sum = (sum + 1.0) * x / n;
    return x + x * sum;
}

// 2 atanh(s) for |s| < 0.18.
double twice_atanh(double s) {
    const double square = s * s;
    double sum = 0.0;
    for (int n = 25; n >= 3; n -= 2) sum = (sum + 1.0 / n) * square;
    return 2.0 * (s + s * sum);
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

double exp(double x) {
    const double n = std::floor(x / (kLn2High + kLn2Low) + 0.5);
    const double rest = (x - n * kLn2High) - n * kLn2Low;
    return std::ldexp(1.0 + expm1_small(rest), static_cast<int>(n));
}

double expm1(double x) { return std::fabs(x) < 0.35 ? expm1_small(x) : exp(x) - 1.0; }

double log(double x) {
    int exponent = 0;
    double m = std::frexp(x, &exponent);
    if (m < kSqrtHalf) {
        m *= 2.0;
        --exponent;
    }
    return exponent * kLn2High + (twice_atanh((m - 1.0) / (m + 1.0)) + exponent * kLn2Low);
}

double log1p(double x) { return std::fabs(x) < 0.3 ? twice_atanh(x / (2.0 + x)) : log(1.0 + x); }

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
