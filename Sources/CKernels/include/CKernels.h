// The inner loops of the layers: rows, matrix-product tiles and attention tiles.
//
// Every kernel is written once, in an .inc file, and that text is compiled for each instruction
// set the package supports; the best one this machine has is chosen at first use. A kernel never
// allocates, never spawns a thread and never fails.

#ifndef CKERNELS_H
#define CKERNELS_H

#include <stdbool.h>
#include <stdint.h>

typedef enum {
  ck_isa_scalar = 0,
  ck_isa_neon = 1,
  ck_isa_neon_bf16 = 2,
  ck_isa_avx2 = 3,
  ck_isa_avx512 = 4,
  ck_isa_avx512_vnni = 5,
  ck_isa_avx512_bf16 = 6,
} ck_isa;

enum { ck_isa_count = 7 };

// One block of queries of one head against the keys they may see.
//
// Positions count from the start of the document, and so do key tiles: a packed document, a lone
// one and a cached one are cut alike and give the same bits. All pointers point at the head's
// first channel; strides are in floats, from one token to the next.
typedef struct {
  const float *q;  // the block's first query
  int64_t q_stride;
  int64_t queries;         // at most `attention_queries`
  int64_t first_position;  // of the block's first query, in its document
  int64_t keys;            // of the document
  int64_t head_size;
  float scale;
  const uint32_t *k;  // the document's keys, packed by `attention_pack_rows`, tile after tile
  const uint32_t *v;  // its values, packed by `attention_pack_columns`
  float *o;           // written
  int64_t o_stride;
  float *lse;  // written: log Σ exp of each query's scaled scores
  uint32_t *scratch;  // `attention_scratch_words(head_size)`
} ck_attention_forward;

// One block of queries against one tile of keys: what the cell adds to dq, dk and dv.
//
// Cells of one block must run in the order of their tiles, and cells of one tile in the order of
// their blocks; the sums then have one order, whatever runs beside them.
typedef struct {
  int64_t queries;
  int64_t first_position;
  int64_t tile;  // keys [tile · keys_per_tile, …)
  int64_t keys;  // of the document
  int64_t head_size;
  float scale;
  const uint32_t *q_rows, *do_rows;        // the block, packed by `attention_pack_queries`
  const uint32_t *q_columns, *do_columns;  // the block, packed by `attention_pack_columns`
  const uint32_t *k_rows, *v_rows;         // the tile, packed by `attention_pack_rows`
  const uint32_t *k_columns;               // the tile, packed by `attention_pack_columns`
  const float *lse, *delta;  // per query; delta[t] = Σ_d o[t,d] · do[t,d]
  float *dq, *dk, *dv;       // added to: the block's first query, the tile's first key
  int64_t dq_stride, dkv_stride;
  uint32_t *scratch;
} ck_attention_backward;

// One token's query heads that share keys, against the keys and values of a cache.
//
// A cache block holds `cache_block_keys` tokens; the bits are those of `attention_forward`.
typedef struct {
  const float *q;  // the first head's; heads follow one another
  int64_t heads;
  int64_t position;  // of the token: it sees position + 1 keys
  int64_t head_size;
  float scale;
  const uint32_t *const *blocks;         // the sequence's blocks, in order
  int64_t key_offset, value_offset;      // of this layer's and head's words in a block
  float *o;                              // written; heads follow one another
  uint32_t *scratch;  // `cached_attention_scratch_words(heads, head_size)`
} ck_cached_attention;

// Products of matrices whose operands are rounded or kept, by one precision.
//
// A packed operand is cut into panels of `a_width` rows (or `b_width` columns); a panel holds, for
// each step along k, one 32-bit word per row: a float, or two bfloat16. `k_granule` is what k is
// padded to, with zeros; `k_per_step` how much of it one step takes.
typedef struct {
  int32_t a_width, b_width;
  int32_t k_granule, k_per_step;

  // Element (row, k) of the source is source[row * row_stride + k * k_stride]; one stride is 1.
  void (*pack_a)(uint32_t *packed, const float *source, int64_t row_stride, int64_t k_stride,
                 int64_t rows, int64_t k);
  void (*pack_b)(uint32_t *packed, const float *source, int64_t row_stride, int64_t k_stride,
                 int64_t rows, int64_t k);

  // c[i, j] = (accumulate ? c[i, j] : 0) + Σ_k a[i, k] b[j, k], each sum in the order of k.
  void (*multiply)(float *c, int64_t c_stride, const uint32_t *a, const uint32_t *b, int64_t rows,
                   int64_t columns, int64_t k, int accumulate);

  // A right side that is kept: panels as `pack_b` makes them, turned by `keep` into words that hold
  // `kept_per_word` elements on every instruction set, `steps` (k / kept_per_word, rounded up) a
  // panel; and back. A left side of few rows is packed in strips of a height up to `tallest_strip`.
  int32_t kept_per_word, tallest_strip;
  void (*keep)(uint32_t *kept, const uint32_t *packed, int64_t steps);
  void (*release)(uint32_t *packed, const uint32_t *kept, int64_t steps);
  void (*pack_strips)(uint32_t *packed, int64_t height, const float *source, int64_t row_stride,
                      int64_t rows, int64_t k);
  // As `multiply`; `kept` is the first panel's first word. Panels are `panel_words` apart, and what
  // they give is `column_step` apart in c; `columns` counts the columns of all of them, of which
  // the last panel may have less than its width.
  void (*multiply_kept)(float *c, int64_t c_stride, const uint32_t *a, int64_t height,
                        const uint32_t *kept, int64_t panel_words, int64_t column_step,
                        int64_t rows, int64_t columns, int64_t k, int accumulate);

  int32_t attention_queries;  // rows of a query block
  int32_t keys_per_tile;
  int64_t (*attention_scratch_words)(int64_t head_size);
  int64_t (*attention_row_words)(int64_t head_size);     // of one full tile of keys or values
  int64_t (*attention_column_words)(int64_t head_size);  // of one full tile of keys or values
  int64_t (*attention_query_words)(int64_t head_size);   // of one full block of queries
  int64_t (*attention_query_column_words)(int64_t head_size);
  void (*attention_pack_rows)(uint32_t *packed, const float *source, int64_t stride, int64_t count,
                              int64_t head_size);
  void (*attention_pack_columns)(uint32_t *packed, const float *source, int64_t stride,
                                 int64_t count, int64_t head_size);
  void (*attention_pack_queries)(uint32_t *packed, const float *source, int64_t stride,
                                 int64_t count, int64_t head_size);
  void (*attention_forward)(const ck_attention_forward *job);
  void (*attention_backward)(const ck_attention_backward *job);

  // Keys and values of one head in a block of a cache. A fresh block must be zero.
  int32_t cache_block_keys;
  int64_t (*cache_key_words)(int64_t head_size);
  int64_t (*cache_value_words)(int64_t head_size);
  void (*cache_store)(uint32_t *keys, uint32_t *values, int64_t key, const float *k,
                      const float *v, int64_t head_size);
  // Writes block number `block` of a tile of keys and of values, as `attention_forward` wants them
  // where all tiles are full.
  void (*cache_expand)(uint32_t *key_tile, uint32_t *value_tile, int64_t block,
                       const uint32_t *keys, const uint32_t *values, int64_t head_size);
  int64_t (*cached_attention_scratch_words)(int64_t heads, int64_t head_size);
  void (*cached_attention)(const ck_cached_attention *job);
} ck_products;

// Products of a few rows with weights in integers of 8 bits, a scale for each `group` of elements
// along the sum. The rows are rounded likewise.
typedef struct {
  int32_t group, panel_width, tallest_strip;
  int64_t (*panel_words)(int64_t k);
  int64_t (*strip_words)(int64_t height, int64_t k);
  // Rounds up to `panel_width` rows of weights into a panel.
  void (*keep)(uint32_t *panel, const float *source, int64_t row_stride, int64_t rows, int64_t k);
  // Rounds up to `height` rows into a strip.
  void (*pack)(uint32_t *packed, int64_t height, const float *source, int64_t row_stride,
               int64_t rows, int64_t k);
  // c[i, j] = (accumulate ? c[i, j] : 0) + Σ_k a[i, k] b[j, k], from strips that follow one another
  // and panels as in `multiply_kept`.
  void (*multiply)(float *c, int64_t c_stride, const uint32_t *a, int64_t height,
                   const uint32_t *panels, int64_t panel_stride, int64_t column_step, int64_t rows,
                   int64_t columns, int64_t k, int accumulate);
} ck_int8_products;

// A map of 256 ascending values, the codes of which are kept for the numbers of a block.
enum {
  ck_quantized_block = 256,  // numbers that share a scale
  ck_first_bin = 0x3480,     // the upper half of 2^-22: below it no two values have their middle
  ck_bin_count = 0x3f80 - 0x3480 + 1,  // up to the bin of 1
};
typedef struct {
  const float *values;
  // Of each bin of magnitudes, `ck_bin_count`: how many values lie from 0 up to the bin, times 2^16,
  // and besides what carries into that for magnitudes beyond a middle in the bin.
  const uint32_t *bins;
  int32_t zero;       // the code of 0
  int32_t negatives;  // values below 0
} ck_code_map;

// The kernels of one instruction set.
typedef struct {
  ck_isa isa;
  ck_products float32, bfloat16;
  ck_int8_products int8;

  // y[i] = gain[i] * x[i] * r  where  r = 1 / sqrt(mean(x^2) + epsilon). Returns r.
  float (*rms_norm)(float *y, const float *x, const float *gain, float epsilon, int64_t count);
  // Adds to dx and dgain; r is what rms_norm returned.
  void (*rms_norm_backward)(float *dx, float *dgain, const float *dy, const float *x,
                            const float *gain, float r, int64_t count);

  // Turns channel pairs (i, i + half) of one head, in place, by the angles whose cosines and sines
  // are given; `direction` -1 turns back (the backward pass).
  void (*rotate)(float *x, const float *cosine, const float *sine, float direction, int64_t half);

  // h[i] = gate[i] * sigmoid(gate[i]) * up[i]
  void (*swiglu)(float *h, const float *gate, const float *up, int64_t count);
  // Replaces gate and up by their gradients, and writes h again, for the gradient of the weight
  // behind it. h may be dh.
  void (*swiglu_backward)(float *h, const float *dh, float *gate, float *up, int64_t count);

  // Softmax with cross-entropy over one row of logits: returns log p[label] and writes
  // (p - onehot(label)) * weight over the logits; `lse` receives log Σ exp(logits).
  float (*cross_entropy)(float *logits, int64_t label, float weight, float *lse, int64_t count);
  // log Σ exp(x)
  float (*log_sum_exp)(const float *x, int64_t count);
  void (*softmax)(float *y, const float *x, int64_t count);

  void (*exp)(float *y, const float *x, int64_t count);
  void (*log)(float *y, const float *x, int64_t count);
  void (*sigmoid)(float *y, const float *x, int64_t count);

  void (*add)(float *y, const float *x, int64_t count);                    // y += x
  void (*sum)(float *y, const float *a, const float *b, int64_t count);    // y = a + b
  void (*scale)(float *y, float factor, int64_t count);                    // y *= factor
  float (*dot)(const float *a, const float *b, int64_t count);
  double (*square_sum)(const float *x, int64_t count);
  int64_t (*argmax)(const float *x, int64_t count);  // the first of equals; NaN never wins

  // Σ x over the elements that are at least `least`, and how many they are. NaN never is.
  double (*sum_from)(const float *x, float least, int64_t count, int64_t *kept);

  // Writes the elements that are at least `least` and less than `end`, in order, and returns how
  // many they are; y has room for all of x, and is written beyond them.
  int64_t (*gather_between)(float *y, const float *x, float least, float end, int64_t count);
  float (*maximum)(const float *x, int64_t count);  // NaN never is
  // y[i] = exp((x[i] - maximum) * factor); returns their sum.
  double (*temper)(float *y, const float *x, float maximum, float factor, int64_t count);

  // AdamW (Loshchilov & Hutter 2019, algorithm 2) with m and v corrected for their start:
  //   p -= rate * decay * p;  m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g²
  //   p -= rate * (m / c1) / (sqrt(v / c2) + epsilon),  g = gradient * gradient_scale
  void (*adamw)(float *p, const float *gradient, float *m, float *v, int64_t count,
                float gradient_scale, float rate, float b1, float b2, float epsilon, float decay,
                float c1, float c2);

  void (*float_from_bfloat16)(float *y, const uint16_t *x, int64_t count);
  void (*bfloat16_from_float)(uint16_t *y, const float *x, int64_t count);  // nearest, ties even
  void (*float_from_float16)(float *y, const uint16_t *x, int64_t count);

  // Random numbers are those of the stream with this key; element i of the call is element
  // first + i of what is drawn for, and `first` is a multiple of 4.
  //
  // To one of the two nearest bfloat16, to each with the probability that makes x the mean: 16 bits
  // of number i / 4 are added below what is kept. Beyond the largest, the largest; infinity and NaN
  // stay what they are.
  void (*round_stochastically)(uint16_t *y, const float *x, int64_t count, uint64_t key,
                               int64_t first);
  // y[i] = x[i] * scale, or 0 where 32 bits of number i / 2 are less than `threshold`
  void (*set_dropout)(float *y, const float *x, int64_t count, uint32_t threshold, float scale,
                      uint64_t key, int64_t first);
  // y[i] += the same
  void (*add_dropout)(float *y, const float *x, int64_t count, uint32_t threshold, float scale,
                      uint64_t key, int64_t first);

  // Blocks of `ck_quantized_block` numbers, of which the last may be shorter: a scale each, their
  // largest magnitude (2^-104 where that is less), and for each number the code of the value nearest
  // to number / scale, of two equally near the one nearer to 0. Numbers below all values get the
  // lowest; a block of zeros has the scale 0; one that holds NaN or infinity NaN, and gives NaN back.
  void (*quantize)(uint8_t *codes, float *scales, const float *x, int64_t count,
                   const ck_code_map *map);
  // y[i] = value of codes[i] * scale
  void (*dequantize)(float *y, const uint8_t *codes, const float *scales, int64_t count,
                     const ck_code_map *map);

  // Spins through `rounds` rounds of independent multiply-adds, to measure the machine's ceiling;
  // returns the operations done (a product and a sum are two). `sink` keeps the work alive.
  double (*peak_float32)(int64_t rounds, float *sink);
  double (*peak_bfloat16)(int64_t rounds, float *sink);
  // Reads `count` bytes in so many streams, to measure what the memory delivers; returns something
  // that depends on all of them.
  uint32_t (*read_memory)(const void *bytes, int64_t count, int64_t streams);
} ck_kernels;

// The kernels of the best instruction set this machine has.
const ck_kernels *ck_best_kernels(void);

// The kernels of `isa`, or NULL where this machine or this build lacks them.
const ck_kernels *ck_kernels_for(ck_isa isa);

// In how many streams a thread of this processor had better read weights, one for each panel that
// it takes at once: 1 or 4.
int64_t ck_streams(void);

const char *ck_isa_name(ck_isa isa);  // as a person reads it: "AVX-512 BF16"
const char *ck_isa_key(ck_isa isa);   // as DISTILL_ISA spells it: "avx512-bf16"

// What a thread pool needs of the machine and Swift does not offer without a newer system.

// Takes whole blocks of 64 bytes into the state of a SHA-256; 0 if this processor has no
// instructions for it, and nothing was done.
int ck_sha256_blocks(uint32_t state[8], const uint8_t *bytes, int64_t count);

// Where a thread keeps a number of its own; 0 until it is set.
int64_t *ck_number_of_this_thread(void);
static inline int64_t ck_fetch_add(int64_t *value, int64_t amount) {
  return __atomic_fetch_add(value, amount, __ATOMIC_SEQ_CST);
}
static inline int64_t ck_load(const int64_t *value) {
  return __atomic_load_n(value, __ATOMIC_ACQUIRE);
}
static inline void ck_store(int64_t *value, int64_t to) {
  __atomic_store_n(value, to, __ATOMIC_SEQ_CST);
}
// On failure `*expected` receives what was found.
static inline bool ck_compare_and_swap(int64_t *value, int64_t *expected, int64_t to) {
  return __atomic_compare_exchange_n(value, expected, to, 0, __ATOMIC_SEQ_CST, __ATOMIC_ACQUIRE);
}
static inline void ck_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("isb" ::: "memory");
#endif
}

#endif
