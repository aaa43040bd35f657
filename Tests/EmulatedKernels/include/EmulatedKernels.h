// The AVX-512 BF16 kernels for machines that have AVX-512 without its bfloat16 instructions: the
// same text, with those three instructions emulated. So the path of two bfloat16 per word is
// tested there too.

#ifndef EMULATED_KERNELS_H
#define EMULATED_KERNELS_H

#include "CKernels.h"

// NULL where the machine lacks AVX-512.
const ck_kernels *emulated_avx512_bf16_kernels(void);

#endif
