// What is behind a baton_pool.
#ifndef BATON_CLIENT_C_POOL_HANDLE_H_
#define BATON_CLIENT_C_POOL_HANDLE_H_

#include <variant>

#include "client/engine/cuda_pool.h"
#include "client/engine/host_pool.h"

struct baton_pool {
  std::variant<baton::HostPool, baton::CudaPool> memory;
};

#endif  // BATON_CLIENT_C_POOL_HANDLE_H_
