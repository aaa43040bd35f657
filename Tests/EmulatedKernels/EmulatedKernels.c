#include "EmulatedKernels.h"

#include <stddef.h>

#if defined(__x86_64__)
#include <immintrin.h>

#define EMULATED \
  static inline __attribute__((always_inline, target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")))

// VDPBF16PS: the odd products are added, then the even ones, each sum rounded to nearest even.
// (It also takes subnormals for zero; the tests keep away from them.)
EMULATED __m512 emulated_dot(__m512 c, __m512bh a, __m512bh b) {
  const __m512i high = _mm512_set1_epi32((int)0xffff0000);
  const __m512i x = (__m512i)a, y = (__m512i)b;
  c = _mm512_fmadd_ps(_mm512_castsi512_ps(_mm512_and_si512(x, high)),
                      _mm512_castsi512_ps(_mm512_and_si512(y, high)), c);
  return _mm512_fmadd_ps(_mm512_castsi512_ps(_mm512_slli_epi32(x, 16)),
                         _mm512_castsi512_ps(_mm512_slli_epi32(y, 16)), c);
}

// VCVTNEPS2BF16: to nearest even; NaN becomes quiet and keeps its upper bits.
EMULATED __m256i emulated_rounding(__m512 x) {
  const __m512i bits = _mm512_castps_si512(x);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  const __m512i sum = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
  const __m512i quiet = _mm512_or_si512(bits, _mm512_set1_epi32(0x00400000));
  const __mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
  return _mm512_cvtepi32_epi16(_mm512_srli_epi32(_mm512_mask_blend_epi32(nan, sum, quiet), 16));
}

// VCVTNE2PS2BF16: the second operand fills the lower half.
EMULATED __m512bh emulated_pair(__m512 high, __m512 low) {
  return (__m512bh)_mm512_inserti64x4(_mm512_castsi256_si512(emulated_rounding(low)),
                                      emulated_rounding(high), 1);
}

#undef _mm512_dpbf16_ps
#undef _mm512_cvtneps_pbh
#undef _mm512_cvtne2ps_pbh
#define _mm512_dpbf16_ps(c, a, b) emulated_dot(c, a, b)
#define _mm512_cvtneps_pbh(x) emulated_rounding(x)
#define _mm512_cvtne2ps_pbh(high, low) emulated_pair(high, low)
// The variant's table, the one name of it that is not static.
#define kernels_avx512_bf16 kernels_avx512_emulated_bf16
#include "AVX512BF16.c"

const ck_kernels *emulated_avx512_bf16_kernels(void) {
  return ck_kernels_for(ck_isa_avx512_vnni) == NULL ? NULL : &kernels_avx512_emulated_bf16;
}

#else

const ck_kernels *emulated_avx512_bf16_kernels(void) { return NULL; }

#endif
