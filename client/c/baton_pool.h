// Memory that an agent can reach; included by baton.h.
#ifndef BATON_CLIENT_C_BATON_POOL_H_
#define BATON_CLIENT_C_BATON_POOL_H_

#include <stddef.h>
#include <stdint.h>

#include "baton_error.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct baton_pool baton_pool;

/* One piece of memory that the agent is to reach. */
typedef struct baton_region {
  uint32_t struct_size;
  int32_t fd; /* a memfd with F_SEAL_SHRINK, or a dma-buf */
  uint64_t bytes;
  const char* name;
  uint8_t dma_buf; /* it is GPU memory */
  uint8_t reserved[7];
  /* Of GPU memory: the pool of baton_pool_export_cuda, whose handle for other processes goes along;
   * fd may be -1 then. NULL: the dma-buf alone. */
  const baton_pool* pool;
} baton_region;

#define BATON_LENT_NOT 0        /* no other process of this host can map it */
#define BATON_LENT_IPC 1        /* by a CUDA IPC handle: memory of cudaMalloc */
#define BATON_LENT_DESCRIPTOR 2 /* by a descriptor: memory of cuMemCreate */

typedef struct baton_pool_info {
  uint32_t struct_size;
  int32_t fd; /* the pool's own: do not close it; -1: a GPU's memory without a dma-buf */
  uint64_t bytes;
  void* address;   /* of the region's first byte; NULL for a GPU's */
  uint64_t offset; /* of adopted memory: where the range that was given begins in the region */
  uint8_t dma_buf;
  uint8_t device_orders_writes;
  uint8_t lent; /* of a GPU's memory: BATON_LENT_* */
  uint8_t reserved[5];
  /* Of a GPU's memory: what its driver does not offer, and why; "" when it has all. The pool's. */
  const char* missing;
} baton_pool_info;

/* New host memory in a sealed memfd, zeroed. */
BATON_API baton_code baton_pool_create(const char* name, uint64_t bytes, baton_pool** pool,
                                       baton_error* error);

#define BATON_ADOPT_WHOLE_PAGES 0 /* refuses a range that is not whole pages */
#define BATON_ADOPT_AROUND 1      /* takes along what shares the first and the last page */

/* Puts a memfd behind memory that the engine has allocated, in place and with its contents. Only
 * private, writable memory without a file; nothing may write to it during the call. */
BATON_API baton_code baton_pool_adopt(const char* name, void* address, uint64_t bytes,
                                      uint32_t around, baton_pool** pool, baton_error* error);

/* Device memory as its driver exports it: a dma-buf for RDMA devices, a handle for other processes
 * of this host, or both; baton_pool_info says what is missing. The thread has the device's CUDA
 * context as its current one. */
BATON_API baton_code baton_pool_export_cuda(uint64_t address, uint64_t bytes, baton_pool** pool,
                                            baton_error* error);

BATON_API void baton_pool_get_info(const baton_pool* pool, baton_pool_info* info);
/* Closes the descriptor and unmaps created memory; adopted memory stays the engine's. Not before
 * every client that was attached with it is detached. NULL is allowed. */
BATON_API void baton_pool_free(baton_pool* pool);

#ifdef __cplusplus
}
#endif

#endif  // BATON_CLIENT_C_BATON_POOL_H_
