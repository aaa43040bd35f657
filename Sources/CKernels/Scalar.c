// The portable variant: vectors of four floats, as any compiler can make them.
#include "CKernels.h"

#define KERNEL(name) name##_scalar
#define ISA ck_isa_scalar
#define VW 4
#define MR 4
#define NV 2
#define KEYS 192
#define QUERIES 96
#include "Variant.inc"
