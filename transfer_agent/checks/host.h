// The machine as the checks see it: the seam below which tests put one of their own.
#ifndef BATON_TRANSFER_AGENT_CHECKS_HOST_H_
#define BATON_TRANSFER_AGENT_CHECKS_HOST_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "transfer_agent/transport/cuda/gpu_listing.h"
#include "transfer_agent/transport/verbs/verbs.h"

namespace baton::checks {

// Of this process; unset is without a limit.
struct Limits {
  std::optional<uint64_t> memlock_bytes;
  std::optional<uint64_t> open_files;
  uint32_t uid = 0;
};

// Thread-compatible, but for Resolve and Connect, which are thread-safe.
class Host {
 public:
  virtual ~Host() = default;

  // --- sysfs, proc, dev
  // A small file without the space at its end; nullopt when it cannot be read.
  virtual std::optional<std::string> Read(const std::string& path) const = 0;
  // Names in a folder, sorted; empty when there is none.
  virtual std::vector<std::string> List(const std::string& path) const = 0;
  virtual bool IsFolder(const std::string& path) const = 0;
  // Whether this process may read and write it.
  virtual bool MayUse(const std::string& path) const = 0;
  // Of the file system that `path` is on; nullopt when there is none.
  virtual std::optional<uint64_t> FileSystemBytes(const std::string& path) const = 0;

  // --- this process
  virtual Limits limits() const = 0;
  // Makes and seals a memfd, as engines do for their pools.
  virtual absl::Status TryMemfd() const = 0;

  // --- devices
  virtual std::vector<transport::verbs::PortListing> Ports() = 0;
  // Whether the device can register a dma-buf.
  virtual absl::Status TryDmaBuf(const std::string& device) = 0;

  // GPUs that this process sees. NO_TRANSPORT: no driver, one that is too old, or none to see.
  virtual absl::StatusOr<transport::cuda::GpuListing> Gpus() = 0;

  // --- the network
  // Finds addresses of a name. DEADLINE when that takes longer.
  virtual absl::Status Resolve(const std::string& name, std::chrono::milliseconds limit) = 0;
  // Tries to open a connection to each host:port, all at once; one status each.
  virtual std::vector<absl::Status> Connect(absl::Span<const std::string> addresses,
                                            std::chrono::milliseconds limit) = 0;
};

// `root` stands before every path of sysfs, proc and dev: "" for this machine's own. `provider` is
// taken over; null: libibverbs.
std::unique_ptr<Host> MakeHost(std::string root,
                               std::unique_ptr<transport::verbs::Provider> provider = nullptr);

}  // namespace baton::checks

#endif  // BATON_TRANSFER_AGENT_CHECKS_HOST_H_
