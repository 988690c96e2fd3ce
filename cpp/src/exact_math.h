// Elementary functions for tables, in double: the same bits on every machine, unlike those of libm. Error
// below 1e-15 of the result where it is not near a zero.
#pragma once

namespace edgeemo::exact {

double sin_pi(double x);  // sin(pi x), the period taken off exactly
double cos_pi(double x);
double exp(double x);    // |x| < 700
double expm1(double x);  // |x| < 700
double log(double x);    // x > 0, normal
double log1p(double x);  // x > -0.5
double bessel_i0(double x);

}  // namespace edgeemo::exact
