// What a cache means, and where one rank's share of it lies; included by baton.h. The fields are
// those of proto/baton/v1/layout.proto, which explains each.
#ifndef BATON_CLIENT_C_BATON_LAYOUT_H_
#define BATON_CLIENT_C_BATON_LAYOUT_H_

#include <stddef.h>
#include <stdint.h>

#include "baton_error.h"

#ifdef __cplusplus
extern "C" {
#endif

#define BATON_KIND_K 1
#define BATON_KIND_V 2
#define BATON_KIND_LATENT 3
#define BATON_KIND_INDEX 4
#define BATON_KIND_SCALE 5
#define BATON_KIND_STATE 6
#define BATON_KIND_AUX 7

#define BATON_CP_REPLICATED 1
#define BATON_CP_CONTIGUOUS 2
#define BATON_CP_INTERLEAVED_TOKEN 3
#define BATON_CP_INTERLEAVED_PAGE 4
#define BATON_CP_ZIGZAG 5
#define BATON_CP_LAYER_SPLIT 6
#define BATON_CP_INTERLEAVED_PAGE_TP 7
#define BATON_CP_INTERLEAVED_PAGE_CP_TP 8

typedef struct baton_tensor {
  uint32_t struct_size;
  uint32_t kind;
  const char* name;
  const char* dtype;
  const uint32_t* layers;
  size_t layer_count;
  const uint32_t* sub_blocks;
  size_t sub_block_count;
  uint32_t page_group;
  uint32_t heads; /* 0: 1 */
  uint32_t head_bytes;
  uint32_t tokens_per_entry; /* 0: 1 */
  uint8_t tp_sharded;
  uint8_t draft;
  uint8_t last_stage; /* AUX: the source's last pp rank sends it */
  uint8_t reserved[5];
} baton_tensor;

typedef struct baton_page_group {
  uint32_t struct_size;
  uint32_t page_tokens;
  uint32_t window_tokens; /* 0: all tokens are kept */
  uint32_t reserved;
} baton_page_group;

/* The layers of one pp rank. */
typedef struct baton_stage {
  const uint32_t* layers;
  size_t layer_count;
} baton_stage;

typedef struct baton_spec {
  uint32_t struct_size;
  uint32_t cp_sharding; /* 0: replicated */
  baton_coord sizes;
  const baton_stage* stages;
  size_t stage_count;
  const baton_page_group* page_groups;
  size_t page_group_count;
  const baton_tensor* tensors;
  size_t tensor_count;
} baton_spec;

/* One tensor of one layer. (page p, entry e, head h) lies at
 * offset + p * page_stride + e * entry_stride + h * head_stride of its region. */
typedef struct baton_buffer {
  uint32_t struct_size;
  uint32_t tensor;
  uint32_t layer;
  uint32_t region;
  uint32_t pages;
  uint32_t reserved;
  uint64_t offset;
  uint64_t page_stride;
  uint64_t entry_stride;
  uint64_t head_stride;
} baton_buffer;

#ifdef __cplusplus
}
#endif

#endif  // BATON_CLIENT_C_BATON_LAYOUT_H_
