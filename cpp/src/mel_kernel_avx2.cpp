#define LANES 4
#define KERNEL kernel_avx2
#include "mel_kernel.inc"
