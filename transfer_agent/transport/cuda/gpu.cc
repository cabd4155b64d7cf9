#include "transfer_agent/transport/cuda/gpu.h"

#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "transfer_agent/transport/cuda/pull_ptx.h"

namespace baton::transport::cuda {
namespace {

Uuid ToUuid(const std::array<unsigned char, 16>& bytes) {
  Uuid uuid;
  std::memcpy(uuid.bytes, bytes.data(), bytes.size());
  return uuid;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Gpu>> Gpu::Open(const Driver* driver, int ordinal) {
  std::unique_ptr<Gpu> gpu(new Gpu(driver, ordinal));
  if (absl::Status started = gpu->Start(); !started.ok()) return started;
  return gpu;
}

absl::Status Gpu::Start() {
  const Driver& d = *driver_;
  absl::Status s = d.Check(d.device_get(&device_, ordinal_), "cuDeviceGet");
  if (s.ok()) s = d.Check(d.context_retain(&context_, device_), "cuDevicePrimaryCtxRetain");
  if (s.ok()) s = MakeCurrent();
  int lowest = 0;
  int highest = 0;
  if (s.ok()) s = d.Check(d.priority_range(&lowest, &highest), "cuCtxGetStreamPriorityRange");
  // The engine's own kernels go first.
  if (s.ok()) {
    s = d.Check(d.stream_create(&stream_, kStreamNonBlocking, lowest),
                "cuStreamCreateWithPriority");
  }
  if (s.ok()) s = d.Check(d.module_load(&module_, kPullPtx), "cuModuleLoadData of the pull kernel");
  if (!s.ok()) return s;
  return d.Check(d.module_function(&kernel_, module_, "baton_pull"), "cuModuleGetFunction");
}

Gpu::~Gpu() {
  if (context_ == nullptr) return;
  driver_->context_set(context_);
  if (stream_ != nullptr) driver_->stream_destroy(stream_);
  if (module_ != nullptr) driver_->module_unload(module_);
  driver_->context_release(device_);
}

absl::Status Gpu::MakeCurrent() const {
  return driver_->Check(driver_->context_set(context_), "cuCtxSetCurrent");
}

absl::StatusOr<GpuTable> GpuTable::Create(const Driver* driver) {
  GpuTable table(driver);
  int count = 0;
  absl::Status s = driver->Check(driver->device_count(&count), "cuDeviceGetCount");
  if (!s.ok()) return s;
  if (count == 0) {
    return Error(Reason::kNoTransport, "the CUDA driver shows no GPU to this process");
  }
  for (int i = 0; i < count; ++i) {
    Row row;
    Device device = 0;
    char name[128] = {};
    s = driver->Check(driver->device_get(&device, i), "cuDeviceGet");
    if (s.ok()) s = driver->Check(driver->device_uuid(&row.uuid, device), "cuDeviceGetUuid");
    if (!s.ok()) return s;
    s = driver->Check(driver->device_name(name, sizeof(name), device), "cuDeviceGetName");
    if (!s.ok()) return s;
    row.name = name;
    table.rows_.push_back(std::move(row));
  }
  return table;
}

int GpuTable::OrdinalOf(const std::array<unsigned char, 16>& uuid) const {
  for (size_t i = 0; i < rows_.size(); ++i) {
    if (rows_[i].uuid == ToUuid(uuid)) return static_cast<int>(i);
  }
  return -1;
}

absl::StatusOr<Gpu*> GpuTable::At(size_t row) {
  if (rows_[row].gpu == nullptr) {
    absl::StatusOr<std::unique_ptr<Gpu>> opened = Gpu::Open(driver_, static_cast<int>(row));
    if (!opened.ok()) return opened.status();
    rows_[row].gpu = *std::move(opened);
  }
  return rows_[row].gpu.get();
}

absl::StatusOr<Gpu*> GpuTable::Find(const std::array<unsigned char, 16>& uuid) {
  const int ordinal = OrdinalOf(uuid);
  if (ordinal >= 0) return At(static_cast<size_t>(ordinal));
  return Error(Reason::kNoTransport,
               absl::StrCat("the pool is on ", UuidText(ToUuid(uuid)),
                            ", which this agent does not see: show it to the agent's container"));
}

absl::Status GpuTable::CheckPeer(const Gpu& reader,
                                 const std::array<unsigned char, 16>& other) const {
  const int ordinal = OrdinalOf(other);
  if (ordinal < 0) {
    return Error(Reason::kNoTransport,
                 absl::StrCat("the source's pool is on ", UuidText(ToUuid(other)),
                              ", which this agent does not see: show it to the agent's container"));
  }
  if (ordinal == reader.ordinal()) return absl::OkStatus();
  int access = 0;
  Device from = 0;
  Device to = 0;
  driver_->device_get(&from, reader.ordinal());
  driver_->device_get(&to, ordinal);
  if (driver_->can_access_peer(&access, from, to) == kSuccess && access != 0) {
    return absl::OkStatus();
  }
  return Error(Reason::kNoTransport,
               absl::StrCat("GPU ", reader.ordinal(), " has no peer access to GPU ", ordinal, ", ",
                            UuidText(ToUuid(other))));
}

std::string GpuTable::Summary() const {
  return absl::StrCat(rows_.size(), " x ", rows_.front().name);
}

}  // namespace baton::transport::cuda
