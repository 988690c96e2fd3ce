#define LANES 4
#define KERNEL crop_baseline
#include "crop_kernel.inc"
