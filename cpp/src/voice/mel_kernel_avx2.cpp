#define LANES 4
#define KERNEL kernel_avx2
#include "voice/mel_kernel.inc"
