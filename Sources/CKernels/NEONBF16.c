// 64-bit Arm with bfloat16 instructions (Armv8.6, Neoverse V1 and N2, Apple M2 and on).
#if defined(__aarch64__)
#include "CKernels.h"

#include <arm_neon.h>

#pragma clang attribute push(__attribute__((target("bf16"))), apply_to = function)
#define KERNEL(name) name##_neon_bf16
#define ISA ck_isa_neon_bf16
#define VW 4
#define MR 6
#define NV 4
#define KEYS 192
#define QUERIES 96

// BFMLALT and BFMLALB are fused multiply-adds of the odd and the even halves, rounded like any
// other. BFDOT and BFMMLA do more at once but round otherwise, differently between processors.
#define BF16_STEP(c, a, b)                                                                   \
  ((VFloats)vbfmlalbq_f32(                                                                   \
      vbfmlaltq_f32((float32x4_t)(c), (bfloat16x8_t)(b), (bfloat16x8_t)(VWords)(a)), \
      (bfloat16x8_t)(b), (bfloat16x8_t)(VWords)(a)))
#define JOIN_BF16(even, odd) (round_bf16(odd) | round_bf16(even) >> 16)
#define PAIR_BF16(low, high)                                                                    \
  JOIN_BF16(__builtin_shufflevector(low, high, 0, 2, 4, 6),                                     \
            __builtin_shufflevector(low, high, 1, 3, 5, 7))
#include "Variant.inc"
#pragma clang attribute pop

#endif
