// Which ports and GIDs to use, and why: a pure function of what the host lists and what the
// operator asks for.
//
// A port must be active. InfiniBand is addressed by LID (and its first GID). On RoCE the best GID
// is taken: v2 before v1, a routable address (IPv4-mapped or global IPv6) before link-local ones,
// the interface in this network namespace always. Ports of one link layer are kept, that of the
// best; the nearest come first. What is asked for by name wins over the order, not over what
// cannot work.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_SELECTION_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_SELECTION_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "transfer_agent/transport/verbs/options.h"
#include "transfer_agent/transport/verbs/verbs.h"

namespace baton::transport::verbs {

struct ChosenRail {
  PortListing port;
  GidListing gid;  // of RoCE
  uint32_t distance = 0;
};

struct Selection {
  std::vector<ChosenRail> rails;  // best first, never empty
  // One line for each candidate: what it is, whether it was taken, why not.
  std::vector<std::string> candidates;

  // One line: "mlx5_0/1 RoCE v2 gid 3 10.0.0.7 (of 3 candidates)".
  std::string Summary() const;
};

// NO_TRANSPORT lists everything that was tried.
absl::StatusOr<Selection> SelectRails(const std::vector<PortListing>& ports, const Wishes& wishes);

// Steps through the PCI tree: 0 on one function, 1 below one switch port, ...; kFar without a
// common root or when either path is empty.
inline constexpr uint32_t kFar = 100;
uint32_t PciDistance(const std::string& a, const std::string& b);

// "10.0.0.7", "fe80::1", ...
std::string GidText(const GidBytes& gid);

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_SELECTION_H_
