// x86-64 with AVX2 and FMA: 12 of the 16 registers hold sums.
#if defined(__x86_64__)
#include "CKernels.h"

#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define KERNEL(name) name##_avx2
#define ISA ck_isa_avx2
#define VW 8
#define MR 6
#define NV 2
#define KEYS 192
#define QUERIES 96

// Bytes at even and at odd places, as numbers of 16 bits.
static inline __attribute__((always_inline)) __m256i int8_step_avx2(__m256i sum, __m256i weights,
                                                                    int32_t word) {
  const __m256i bytes = _mm256_set1_epi16(0x00ff), a = _mm256_set1_epi32(word);
  const __m256i even = _mm256_madd_epi16(_mm256_and_si256(weights, bytes),
                                         _mm256_srai_epi16(_mm256_slli_epi16(a, 8), 8));
  const __m256i odd = _mm256_madd_epi16(_mm256_srli_epi16(weights, 8), _mm256_srai_epi16(a, 8));
  return _mm256_add_epi32(sum, _mm256_add_epi32(even, odd));
}
#define INT8_STEP(sum, weights, a) \
  ((VInts)int8_step_avx2((__m256i)(sum), (__m256i)(weights), (int32_t)(a)))
#include "Variant.inc"
#pragma clang attribute pop

#endif
