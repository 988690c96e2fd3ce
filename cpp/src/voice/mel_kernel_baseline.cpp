#define LANES 2
#define KERNEL kernel_baseline
#include "voice/mel_kernel.inc"
