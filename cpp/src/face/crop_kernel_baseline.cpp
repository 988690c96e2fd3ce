#define LANES 4
#define KERNEL crop_baseline
#include "face/crop_kernel.inc"
