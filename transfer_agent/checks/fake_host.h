// A machine that a test makes up.
#ifndef BATON_TRANSFER_AGENT_CHECKS_FAKE_HOST_H_
#define BATON_TRANSFER_AGENT_CHECKS_FAKE_HOST_H_

#include <map>
#include <set>
#include <string>
#include <vector>

#include "transfer_agent/checks/host.h"

namespace baton::checks {

class FakeHost : public Host {
 public:
  // By path. Folders are what these lie in.
  std::map<std::string, std::string> files;
  std::set<std::string> closed;  // may not be used
  std::map<std::string, uint64_t> file_systems = {{"/dev/shm", uint64_t{1} << 30}};
  Limits limit;
  absl::Status memfd, dma_buf;
  std::vector<transport::verbs::PortListing> ports;
  absl::StatusOr<transport::cuda::GpuListing> gpus = absl::NotFoundError("there is no driver");
  std::map<std::string, absl::Status> names, addresses;  // those that are not well

  std::optional<std::string> Read(const std::string& path) const override {
    auto found = files.find(path);
    if (found == files.end()) return std::nullopt;
    return found->second;
  }
  std::vector<std::string> List(const std::string& path) const override {
    std::set<std::string> names_in;
    for (const auto& [file, text] : files) {
      if (file.rfind(path + "/", 0) != 0) continue;
      const std::string rest = file.substr(path.size() + 1);
      names_in.insert(rest.substr(0, rest.find('/')));
    }
    return {names_in.begin(), names_in.end()};
  }
  bool IsFolder(const std::string& path) const override { return !List(path).empty(); }
  bool MayUse(const std::string& path) const override {
    return !closed.contains(path) && (files.contains(path) || IsFolder(path));
  }
  std::optional<uint64_t> FileSystemBytes(const std::string& path) const override {
    auto found = file_systems.find(path);
    if (found == file_systems.end()) return std::nullopt;
    return found->second;
  }
  Limits limits() const override { return limit; }
  absl::Status TryMemfd() const override { return memfd; }
  std::vector<transport::verbs::PortListing> Ports() override { return ports; }
  absl::StatusOr<transport::cuda::GpuListing> Gpus() override { return gpus; }
  absl::Status TryDmaBuf(const std::string&) override { return dma_buf; }
  absl::Status Resolve(const std::string& name, std::chrono::milliseconds) override {
    return names[name];
  }
  std::vector<absl::Status> Connect(absl::Span<const std::string> to,
                                    std::chrono::milliseconds) override {
    std::vector<absl::Status> statuses;
    for (const std::string& address : to) statuses.push_back(addresses[address]);
    return statuses;
  }
};

}  // namespace baton::checks

#endif  // BATON_TRANSFER_AGENT_CHECKS_FAKE_HOST_H_
