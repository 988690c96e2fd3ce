#define LANES 8
#define KERNEL kernel_avx512
#include "voice/mel_kernel.inc"
