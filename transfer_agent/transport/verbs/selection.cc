#include "transfer_agent/transport/verbs/selection.h"

#include <arpa/inet.h>

#include <algorithm>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/reason.h"

namespace baton::transport::verbs {
namespace {

bool IsMapped(const GidBytes& gid) {
  return std::all_of(gid.begin(), gid.begin() + 10, [](uint8_t b) { return b == 0; }) &&
         gid[10] == 0xff && gid[11] == 0xff;
}

bool IsZero(const GidBytes& gid) {
  return std::all_of(gid.begin(), gid.end(), [](uint8_t b) { return b == 0; });
}

bool IsLinkLocal(const GidBytes& gid) {
  if (IsMapped(gid)) return gid[12] == 169 && gid[13] == 254;
  return gid[0] == 0xfe && (gid[1] & 0xc0) == 0x80;
}

absl::string_view TypeText(GidType type) {
  switch (type) {
    case GidType::kInfiniband:
      return "IB";
    case GidType::kRoceV1:
      return "RoCE v1";
    case GidType::kRoceV2:
      return "RoCE v2";
  }
  return "?";
}

std::string PortName(const PortListing& port) { return absl::StrCat(port.device, "/", port.port); }

// Smaller is better; nullopt: of no use.
std::optional<int> GidRank(const GidListing& gid) {
  if (IsZero(gid.bytes) || gid.netdev.empty() || gid.type == GidType::kInfiniband) {
    return std::nullopt;
  }
  const int family = IsMapped(gid.bytes) ? 0 : 1;
  return (gid.type == GidType::kRoceV2 ? 0 : 10) + (IsLinkLocal(gid.bytes) ? 4 : 0) + family;
}

// Why the port has no GID to use is left in `why`.
std::optional<GidListing> BestGid(const PortListing& port, int wished, std::string* why) {
  std::optional<GidListing> best;
  std::vector<std::string> seen;
  for (const GidListing& gid : port.gids) {
    if (wished >= 0 && static_cast<int>(gid.index) != wished) continue;
    const std::optional<int> rank = GidRank(gid);
    if (!rank.has_value()) {
      seen.push_back(absl::StrCat(
          "gid ", gid.index, " ", GidText(gid.bytes),
          gid.netdev.empty() ? " has no interface in this namespace" : " is not a RoCE address"));
      continue;
    }
    if (!best.has_value() || *rank < *GidRank(*best)) best = gid;
  }
  if (!best.has_value()) {
    *why = wished >= 0 && seen.empty()
               ? absl::StrCat("no gid ", wished)
               : absl::StrCat("no usable gid (", absl::StrJoin(seen, ", "), ")");
  }
  return best;
}

bool IsWished(const PortListing& port, const Wishes& wishes) {
  return wishes.devices.empty() ||
         std::any_of(wishes.devices.begin(), wishes.devices.end(), [&](const std::string& name) {
           return name == port.device || name == PortName(port);
         });
}

uint32_t Distance(const PortListing& port, const Wishes& wishes) {
  if (!wishes.near_pci_path.empty()) return PciDistance(port.pci_path, wishes.near_pci_path);
  if (wishes.near_numa_node < 0 || port.numa_node < 0) return 0;
  return port.numa_node == wishes.near_numa_node ? 0 : kFar;
}

// Where the rail is, as seen from the ranks' memory; empty: nobody said where that is.
std::string PlaceText(const ChosenRail& rail, const Wishes& wishes) {
  if (!wishes.near_pci_path.empty()) {
    const size_t slash = wishes.near_pci_path.rfind('/');
    const absl::string_view from =
        absl::string_view(wishes.near_pci_path).substr(slash == std::string::npos ? 0 : slash + 1);
    if (rail.distance >= kFar) return absl::StrCat(", not on the PCI root of ", from);
    return absl::StrCat(", ", rail.distance, " PCI steps from ", from);
  }
  if (wishes.near_numa_node < 0) return "";
  if (rail.port.numa_node < 0) return ", on no NUMA node that is known";
  return absl::StrCat(", on NUMA node ", rail.port.numa_node,
                      rail.distance == 0 ? " as" : ", away from", " the memory");
}

// The reason why the port is of no use; empty: it is, and `rail` says how.
std::string Judge(const PortListing& port, const Wishes& wishes, ChosenRail* rail) {
  if (!IsWished(port, wishes)) return "not among --verbs_devices";
  if (!port.error.empty()) return port.error;
  if (!port.active) return "port is not active";
  rail->port = port;
  rail->distance = Distance(port, wishes);
  if (port.infiniband) {
    if (port.lid == 0) return "InfiniBand without a LID: no subnet manager has seen the port";
    if (!port.gids.empty()) rail->gid = port.gids.front();
    return "";
  }
  std::string why;
  std::optional<GidListing> gid = BestGid(port, wishes.gid_index, &why);
  if (gid.has_value()) rail->gid = *std::move(gid);
  return why;
}

std::string RailText(const ChosenRail& rail) {
  const std::string name = PortName(rail.port);
  if (rail.port.infiniband) return absl::StrCat(name, " InfiniBand lid ", rail.port.lid);
  return absl::StrCat(name, " ", TypeText(rail.gid.type), " gid ", rail.gid.index, " ",
                      GidText(rail.gid.bytes), " on ", rail.gid.netdev);
}

// Better first; equal ones keep their order.
bool Before(const ChosenRail& a, const ChosenRail& b) {
  if (a.distance != b.distance) return a.distance < b.distance;
  const int rank_a = a.port.infiniband ? 0 : *GidRank(a.gid);
  const int rank_b = b.port.infiniband ? 0 : *GidRank(b.gid);
  return rank_a < rank_b;
}

}  // namespace

std::string GidText(const GidBytes& gid) {
  char text[INET6_ADDRSTRLEN];
  const bool mapped = IsMapped(gid);
  const void* from = mapped ? gid.data() + 12 : gid.data();
  return inet_ntop(mapped ? AF_INET : AF_INET6, from, text, sizeof(text)) != nullptr ? text : "?";
}

uint32_t PciDistance(const std::string& a, const std::string& b) {
  if (a.empty() || b.empty()) return kFar;
  const std::vector<std::string> left = absl::StrSplit(a, '/', absl::SkipEmpty());
  const std::vector<std::string> right = absl::StrSplit(b, '/', absl::SkipEmpty());
  size_t common = 0;
  while (common < left.size() && common < right.size() && left[common] == right[common]) ++common;
  if (common == 0) return kFar;
  return static_cast<uint32_t>(std::max(left.size(), right.size()) - common);
}

std::string Selection::Summary() const {
  std::vector<std::string> texts;
  for (const ChosenRail& rail : rails) texts.push_back(RailText(rail));
  return absl::StrCat(absl::StrJoin(texts, " + "), " (of ", candidates.size(), " candidates)");
}

absl::StatusOr<Selection> SelectRails(const std::vector<PortListing>& ports, const Wishes& wishes) {
  Selection selection;
  for (const PortListing& port : ports) {
    ChosenRail rail;
    std::string why = Judge(port, wishes, &rail);
    if (why.empty()) {
      selection.rails.push_back(rail);
    } else {
      selection.candidates.push_back(absl::StrCat(PortName(port), ": ", why));
    }
  }
  for (const std::string& name : wishes.devices) {
    const bool listed = std::any_of(ports.begin(), ports.end(), [&](const PortListing& port) {
      return name == port.device || name == PortName(port);
    });
    if (!listed) selection.candidates.push_back(absl::StrCat(name, ": no such device"));
  }
  if (selection.rails.empty()) {
    return Error(Reason::kNoTransport,
                 selection.candidates.empty()
                     ? "verbs: the host lists no RDMA device"
                     : absl::StrCat("verbs: no usable device; tried ",
                                    absl::StrJoin(selection.candidates, "; ")));
  }
  std::stable_sort(selection.rails.begin(), selection.rails.end(), Before);
  const bool infiniband = selection.rails.front().port.infiniband;
  std::vector<ChosenRail> kept;
  for (ChosenRail& rail : selection.rails) {
    const std::string text = absl::StrCat(RailText(rail), PlaceText(rail, wishes));
    const bool same = rail.port.infiniband == infiniband;
    const bool taken = same && kept.size() < wishes.rails_max;
    selection.candidates.push_back(absl::StrCat(text, taken  ? ": taken"
                                                      : same ? ": not needed"
                                                             : ": of another link layer"));
    if (taken) kept.push_back(std::move(rail));
  }
  selection.rails = std::move(kept);
  return selection;
}

}  // namespace baton::transport::verbs
