#define LANES 16
#define KERNEL crop_avx512
#include "crop_kernel.inc"
