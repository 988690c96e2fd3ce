#define LANES 8
#define KERNEL kernel_avx512
#include "mel_kernel.inc"
