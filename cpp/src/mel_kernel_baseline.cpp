#define LANES 4
#define KERNEL kernel_baseline
#include "mel_kernel.inc"
