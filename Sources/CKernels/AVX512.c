// x86-64 with AVX-512 F, BW, DQ and VL, without bfloat16 instructions: rounded floats stand in.
#if defined(__x86_64__)
#include "CKernels.h"

#include <immintrin.h>

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma"))), apply_to = function)
#define KERNEL(name) name##_avx512
#define ISA ck_isa_avx512
#include "AVX512.inc"

// Without a product of bytes: those at even and at odd places, as numbers of 16 bits.
static inline __attribute__((always_inline)) __m512i int8_step_avx512(__m512i sum, __m512i weights,
                                                                      int32_t word) {
  const __m512i bytes = _mm512_set1_epi16(0x00ff), a = _mm512_set1_epi32(word);
  const __m512i even = _mm512_madd_epi16(_mm512_and_si512(weights, bytes),
                                         _mm512_srai_epi16(_mm512_slli_epi16(a, 8), 8));
  const __m512i odd = _mm512_madd_epi16(_mm512_srli_epi16(weights, 8), _mm512_srai_epi16(a, 8));
  return _mm512_add_epi32(sum, _mm512_add_epi32(even, odd));
}
#define INT8_STEP(sum, weights, a) \
  ((VInts)int8_step_avx512((__m512i)(sum), (__m512i)(weights), (int32_t)(a)))
#include "Variant.inc"
#pragma clang attribute pop

#endif
