// Can GPU pools go between the engines of this host: is there a driver, which GPUs does this
// process see, and which of them reach one another's memory?
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "transfer_agent/checks/each_check.h"

namespace baton::checks {
namespace {

constexpr absl::string_view kName = "GPUs";

// A fail where cuda was asked for by name.
v1::CheckFinding Amiss(const Settings& settings, absl::string_view cause, absl::string_view cure) {
  return settings.transport == "cuda" ? Fail(kName, cause, cure) : Warn(kName, cause, cure);
}

std::string Apart(const transport::cuda::GpuListing& listing) {
  std::vector<std::string> pairs;
  for (const auto& [from, to] : listing.apart) pairs.push_back(absl::StrCat(from, " and ", to));
  return absl::StrJoin(pairs, ", ");
}

}  // namespace

std::optional<v1::CheckFinding> CheckGpus(const Settings& settings, Host& host) {
  const absl::StatusOr<transport::cuda::GpuListing> found = host.Gpus();
  if (!found.ok()) {
    // Without a GPU there is nothing to say, unless one was asked for.
    if (settings.transport != "cuda" && !host.MayUse("/dev/nvidiactl")) return std::nullopt;
    return Amiss(settings, absl::StrCat("GPU pools cannot go by cuda: ", found.status().message()),
                 "give this container the driver and the engine's GPUs (the NVIDIA runtime, "
                 "NVIDIA_VISIBLE_DEVICES), or start the agent with another --transport");
  }
  const std::string seen = absl::StrCat(found->gpus.size(), " x ", found->gpus.front().name,
                                        ", driver of CUDA ", found->driver);
  for (const transport::cuda::GpuListing::Row& gpu : found->gpus) {
    if (!gpu.exclusive) continue;
    return Amiss(settings,
                 absl::StrCat(seen, ": GPU ", gpu.ordinal, ", ", gpu.uuid,
                              ", is for one process alone, and engine and agent are two"),
                 absl::StrCat("nvidia-smi -i ", gpu.uuid, " -c DEFAULT"));
  }
  if (!found->apart.empty()) {
    return Warn(kName,
                absl::StrCat(seen, "; without access to one another's memory: ", Apart(*found)),
                "rooms between these go by verbs or not at all: see nvidia-smi topo -p2p r, and "
                "pair engines on GPUs that have it");
  }
  v1::CheckFinding finding =
      Ok(kName, found->gpus.size() == 1 ? seen : absl::StrCat(seen, ", all reach one another"));
  for (const transport::cuda::GpuListing::Row& gpu : found->gpus) {
    finding.add_details(absl::StrCat("GPU ", gpu.ordinal, " ", gpu.uuid, " ", gpu.name,
                                     gpu.descriptors ? "" : " lends no memory of cuMemCreate"));
  }
  return finding;
}

}  // namespace baton::checks
