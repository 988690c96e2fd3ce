// Elementary functions for tables, in double: the same bits on every machine, unlike those of libm. Error
// below 1e-15 of the result where it is not near a zero.
#pragma once

#include <array>
#include <cstddef>

namespace edgeemo::exact {

double sin_pi(double x);  // sin(pi x), the period taken off exactly
double cos_pi(double x);
double exp(double x);    // |x| < 700
double expm1(double x);  // |x| < 700
double log(double x);    // x > 0, normal
double log1p(double x);  // x > -0.5
double bessel_i0(double x);

// The same of several numbers at once, in place: the bits are those of one by one, the time is less.
using Several = std::array<double, 8>;
void exp(Several& x);
void expm1(Several& x);
void log(Several& x);
void log1p(Several& x);

}  // namespace edgeemo::exact
