#include "transfer_agent/transport/cuda/gpu.h"

#include <cstring>
#include <map>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/mutex.h"
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

namespace {

absl::StatusOr<GpuProgram> MakeProgram(const Driver& d, int ordinal) {
  GpuProgram program;
  Module module = nullptr;
  absl::Status s = d.Check(d.device_get(&program.device, ordinal), "cuDeviceGet");
  if (s.ok()) {
    s = d.Check(d.context_retain(&program.context, program.device), "cuDevicePrimaryCtxRetain");
  }
  if (s.ok()) s = d.Check(d.context_set(program.context), "cuCtxSetCurrent");
  if (s.ok()) s = d.Check(d.module_load(&module, kPullPtx), "cuModuleLoadData of the pull kernel");
  if (s.ok()) {
    s = d.Check(d.module_function(&program.kernel, module, "baton_pull"), "cuModuleGetFunction");
  }
  if (!s.ok()) return s;
  return program;
}

}  // namespace

absl::StatusOr<const GpuProgram*> LoadProgram(const Driver* driver, int ordinal) {
  static auto* const mutex = new Mutex;
  static auto* const loaded =
      new std::map<std::pair<const Driver*, int>, std::unique_ptr<const GpuProgram>>;
  MutexLock lock(mutex);
  std::unique_ptr<const GpuProgram>& program = (*loaded)[{driver, ordinal}];
  if (program == nullptr) {
    absl::StatusOr<GpuProgram> made = MakeProgram(*driver, ordinal);
    if (!made.ok()) return made.status();
    program = std::make_unique<const GpuProgram>(*made);
  }
  return program.get();
}

absl::StatusOr<std::unique_ptr<Gpu>> Gpu::Open(const Driver* driver, int ordinal) {
  std::unique_ptr<Gpu> gpu(new Gpu(driver, ordinal));
  if (absl::Status started = gpu->Start(); !started.ok()) return started;
  return gpu;
}

absl::Status Gpu::Start() {
  const Driver& d = *driver_;
  absl::StatusOr<const GpuProgram*> program = LoadProgram(driver_, ordinal_);
  if (!program.ok()) return program.status();
  program_ = *program;
  absl::Status s = MakeCurrent();
  int lowest = 0;
  int highest = 0;
  if (s.ok()) s = d.Check(d.priority_range(&lowest, &highest), "cuCtxGetStreamPriorityRange");
  if (!s.ok()) return s;
  // The engine's own kernels go first.
  return d.Check(d.stream_create(&stream_, kStreamNonBlocking, lowest),
                 "cuStreamCreateWithPriority");
}

Gpu::~Gpu() {
  if (stream_ == nullptr || !MakeCurrent().ok()) return;
  driver_->stream_destroy(stream_);
}

absl::Status Gpu::MakeCurrent() const {
  return driver_->Check(driver_->context_set(program_->context), "cuCtxSetCurrent");
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

absl::Status GpuTable::Hidden(const std::array<unsigned char, 16>& uuid) const {
  return Error(Reason::kNoTransport,
               absl::StrCat("the pool is on ", UuidText(ToUuid(uuid)), ", which this agent does ",
                            "not see: show it to its container (NVIDIA_VISIBLE_DEVICES)"));
}

absl::StatusOr<Gpu*> GpuTable::Find(const std::array<unsigned char, 16>& uuid) {
  const int ordinal = OrdinalOf(uuid);
  return ordinal < 0 ? Hidden(uuid) : At(static_cast<size_t>(ordinal));
}

absl::Status GpuTable::Prepare(const std::array<unsigned char, 16>& uuid) const {
  const int ordinal = OrdinalOf(uuid);
  return ordinal < 0 ? Hidden(uuid) : LoadProgram(driver_, ordinal).status();
}

absl::Status GpuTable::CheckPeer(const Gpu* reader,
                                 const std::array<unsigned char, 16>& other) const {
  const int ordinal = OrdinalOf(other);
  if (ordinal < 0) return Hidden(other);
  if (reader == nullptr || ordinal == reader->ordinal()) return absl::OkStatus();
  int access = 0;
  Device from = 0;
  Device to = 0;
  driver_->device_get(&from, reader->ordinal());
  driver_->device_get(&to, ordinal);
  if (driver_->can_access_peer(&access, from, to) == kSuccess && access != 0) {
    return absl::OkStatus();
  }
  const bool mig = absl::StrContains(rows_[static_cast<size_t>(ordinal)].name, " MIG ");
  return Error(Reason::kNoTransport,
               absl::StrCat("GPU ", reader->ordinal(), " has no peer access to GPU ", ordinal, ", ",
                            UuidText(ToUuid(other)),
                            mig ? ": instances of MIG cannot read one another's memory"
                                : ": see nvidia-smi topo -p2p r"));
}

std::string GpuTable::Summary() const {
  int version = 0;
  driver_->version(&version);
  return absl::StrCat(rows_.size(), " x ", rows_.front().name, ", driver of CUDA ", version / 1000,
                      ".", version % 1000 / 10);
}

}  // namespace baton::transport::cuda
