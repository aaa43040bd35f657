// x86-64 with AVX2 and FMA: 12 of the 16 registers hold sums.
#if defined(__x86_64__)
#include "CKernels.h"

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define KERNEL(name) name##_avx2
#define ISA ck_isa_avx2
#define VW 8
#define MR 6
#define NV 2
#define KEYS 192
#define QUERIES 96
#include "Variant.inc"
#pragma clang attribute pop

#endif
