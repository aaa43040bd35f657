// 64-bit Arm: 24 of the 32 registers hold sums.
#if defined(__aarch64__)
#include "CKernels.h"

#define KERNEL(name) name##_neon
#define ISA ck_isa_neon
#define VW 4
#define MR 6
#define NV 4
#define KEYS 192
#define QUERIES 96
#include "Variant.inc"

#endif
