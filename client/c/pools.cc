// baton_pool.h
#include <utility>

#include "client/c/baton_pool.h"
#include "client/c/pool_handle.h"
#include "client/c/values.h"

static_assert(BATON_LENT_IPC == static_cast<int>(baton::DeviceShare::Kind::kIpc));
static_assert(BATON_LENT_DESCRIPTOR == static_cast<int>(baton::DeviceShare::Kind::kVmm));

namespace {

baton_code Give(absl::StatusOr<baton::HostPool> made, baton_pool** pool, baton_error* error) {
  if (!made.ok()) return baton::c::Fail(made.status(), error);
  *pool = new baton_pool{*std::move(made)};
  return BATON_OK;
}

baton_pool_info Describe(const baton::HostPool& host) {
  baton_pool_info info{};
  info.fd = host.fd();
  info.bytes = host.bytes();
  info.address = host.base();
  info.offset = host.offset();
  info.missing = "";
  return info;
}

baton_pool_info Describe(const baton::CudaPool& pool) {
  baton_pool_info info{};
  info.fd = pool.dma_buf.get();
  info.bytes = pool.bytes;
  info.dma_buf = 1;
  info.device_orders_writes = pool.device_orders_writes ? 1 : 0;
  info.lent = static_cast<uint8_t>(pool.share.kind);
  info.missing = pool.missing.c_str();
  return info;
}

}  // namespace

extern "C" {

baton_code baton_pool_create(const char* name, uint64_t bytes, baton_pool** pool,
                             baton_error* error) {
  return Give(baton::HostPool::Create(baton::c::Text(name), bytes), pool, error);
}

baton_code baton_pool_adopt(const char* name, void* address, uint64_t bytes, uint32_t around,
                            baton_pool** pool, baton_error* error) {
  const auto what = around == BATON_ADOPT_AROUND ? baton::Around::kTake : baton::Around::kRefuse;
  return Give(baton::HostPool::Adopt(baton::c::Text(name), address, bytes, what), pool, error);
}

baton_code baton_pool_export_cuda(uint64_t address, uint64_t bytes, baton_pool** pool,
                                  baton_error* error) {
  absl::StatusOr<baton::CudaPool> made = baton::ExportCudaPool(address, bytes);
  if (!made.ok()) return baton::c::Fail(made.status(), error);
  *pool = new baton_pool{*std::move(made)};
  return BATON_OK;
}

void baton_pool_get_info(const baton_pool* pool, baton_pool_info* info) {
  baton_pool_info value =
      std::visit([](const auto& memory) { return Describe(memory); }, pool->memory);
  value.struct_size = info->struct_size;
  std::memcpy(info, &value, std::min<size_t>(info->struct_size, sizeof(value)));
}

void baton_pool_free(baton_pool* pool) { delete pool; }

}  // extern "C"
