#define LANES 2
#define KERNEL kernel_baseline
#include "mel_kernel.inc"
