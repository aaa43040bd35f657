// x86-64 with AVX-512 F, BW, DQ and VL, and its products of bytes (Cascade Lake, Ice Lake
// and on), without bfloat16 instructions: rounded floats stand in.
#if defined(__x86_64__)
#include "CKernels.h"

#include <immintrin.h>

#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma"))), apply_to = function)
#define KERNEL(name) name##_avx512_vnni
#define ISA ck_isa_avx512_vnni
#include "AVX512.inc"
#include "AVX512VNNI.inc"
#include "Variant.inc"
#pragma clang attribute pop

#endif
