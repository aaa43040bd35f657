// x86-64 with AVX-512 and its bfloat16 instructions (Cooper Lake, Sapphire Rapids, Zen 4 and on).
#if defined(__x86_64__)
#include "CKernels.h"

#include <immintrin.h>

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16,avx2,fma"))), \
    apply_to = function)
#define KERNEL(name) name##_avx512_bf16
#define ISA ck_isa_avx512_bf16
#include "AVX512.inc"
#define KEPT_LOCALITY 2
#define FETCHES_NEXT_PANEL

// VDPBF16PS adds the odd product, then the even one, each rounded to nearest even; it takes
// subnormals for zero, in operands and results.
#define BF16_STEP(c, a, b)                                                                    \
  ((VFloats)_mm512_dpbf16_ps((__m512)(c), (__m512bh)_mm512_set1_epi32((int32_t)(a)), \
                             (__m512bh)(b)))
#define PAIR_BF16(low, high) ((VWords)_mm512_cvtne2ps_pbh((__m512)(high), (__m512)(low)))
#define JOIN_BF16(even, odd)                                                          \
  ((VWords)_mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh((__m512)(even))) |       \
   (VWords)_mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh((__m512)(odd))) << 16)
#include "AVX512VNNI.inc"
#include "Variant.inc"
#pragma clang attribute pop

#endif
