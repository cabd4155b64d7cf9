#include "transfer_agent/checks/host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "common/unique_fd.h"
#include "transfer_agent/checks/network.h"
#include "transfer_agent/transport/cuda/driver.h"
#include "transfer_agent/transport/cuda/gpu_listing.h"
#include "transfer_agent/transport/verbs/provider/ibverbs.h"

namespace baton::checks {
namespace {

using transport::verbs::PortListing;
using transport::verbs::Provider;

constexpr size_t kFileBytesMax = 64 << 10;

std::optional<uint64_t> SoftLimit(int resource) {
  rlimit limit = {};
  if (getrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0) return std::nullopt;
  if (limit.rlim_cur == RLIM_INFINITY) return std::nullopt;
  return limit.rlim_cur;
}

class RealHost final : public Host {
 public:
  RealHost(std::string root, std::unique_ptr<Provider> provider)
      : root_(std::move(root)), provider_(std::move(provider)) {}

  std::optional<std::string> Read(const std::string& path) const override {
    std::ifstream file(root_ + path);
    if (!file) return std::nullopt;
    std::string text(kFileBytesMax, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<size_t>(file.gcount()));
    if (text.empty() && file.bad()) return std::nullopt;
    absl::StripTrailingAsciiWhitespace(&text);
    return text;
  }

  std::vector<std::string> List(const std::string& path) const override {
    std::vector<std::string> names;
    DIR* folder = opendir((root_ + path).c_str());
    if (folder == nullptr) return names;
    while (const dirent* entry = readdir(folder)) {
      if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
    }
    closedir(folder);
    std::sort(names.begin(), names.end());
    return names;
  }

  bool IsFolder(const std::string& path) const override {
    struct stat info = {};
    return stat((root_ + path).c_str(), &info) == 0 && S_ISDIR(info.st_mode);
  }
  bool MayUse(const std::string& path) const override {
    return faccessat(AT_FDCWD, (root_ + path).c_str(), R_OK | W_OK, AT_EACCESS) == 0;
  }
  std::optional<uint64_t> FileSystemBytes(const std::string& path) const override {
    struct statvfs info = {};
    if (statvfs((root_ + path).c_str(), &info) != 0) return std::nullopt;
    return uint64_t{info.f_blocks} * info.f_frsize;
  }

  Limits limits() const override {
    return {SoftLimit(RLIMIT_MEMLOCK), SoftLimit(RLIMIT_NOFILE), geteuid()};
  }
  absl::Status TryMemfd() const override {
    UniqueFd fd(memfd_create("baton-check", MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (!fd) return SystemError("memfd_create", errno);
    if (ftruncate(fd.get(), 4096) != 0) return SystemError("ftruncate of a memfd", errno);
    if (fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SHRINK) != 0) {
      return SystemError("sealing a memfd", errno);
    }
    return absl::OkStatus();
  }

  std::vector<PortListing> Ports() override { return provider_->List(); }
  absl::StatusOr<transport::cuda::GpuListing> Gpus() override {
    auto driver = transport::cuda::LoadDriver(transport::cuda::kDriverLibrary);
    if (!driver.ok()) return driver.status();
    return transport::cuda::ListGpus(**driver);
  }
  absl::Status TryDmaBuf(const std::string& device) override {
    ibv_context* context = provider_->Open(device);
    if (context == nullptr) return SystemError(absl::StrCat("opening ", device), errno);
    ibv_pd* pd = provider_->AllocPd(context);
    const int pd_error = errno;
    int error = 0;
    if (pd != nullptr) {
      // A descriptor that is none: what knows dma-bufs says EBADF, what does not says so.
      ibv_mr* mr = provider_->RegisterDmaBuf(pd, 0, 4096, 0, -1, IBV_ACCESS_LOCAL_WRITE);
      error = errno;
      if (mr != nullptr) {
        provider_->Deregister(mr);
        error = EBADF;
      }
      provider_->DeallocPd(pd);
    }
    provider_->Close(context);
    if (pd == nullptr)
      return SystemError(absl::StrCat("a protection domain of ", device), pd_error);
    if (error == EBADF || error == EINVAL) return absl::OkStatus();
    return SystemError(absl::StrCat(device, ": registering a dma-buf"), error);
  }

  absl::Status Resolve(const std::string& name, std::chrono::milliseconds limit) override {
    return ResolveName(name, limit);
  }
  std::vector<absl::Status> Connect(absl::Span<const std::string> addresses,
                                    std::chrono::milliseconds limit) override {
    return ConnectToAll(addresses, limit);
  }

 private:
  const std::string root_;
  const std::unique_ptr<Provider> provider_;
};

}  // namespace

std::unique_ptr<Host> MakeHost(std::string root, std::unique_ptr<Provider> provider) {
  if (provider == nullptr) provider = transport::verbs::MakeIbverbsProvider();
  return std::make_unique<RealHost>(std::move(root), std::move(provider));
}

}  // namespace baton::checks
