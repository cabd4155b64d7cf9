// What an engine asks for when it attaches, checked for everything that needs no descriptors.
#ifndef BATON_TRANSFER_AGENT_ATTACH_ATTACH_REQUEST_H_
#define BATON_TRANSFER_AGENT_ATTACH_ATTACH_REQUEST_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/ids.h"
#include "planner/layout.h"

namespace baton::attach {

struct AttachRequest {
  RankRef rank;
  Role role = Role::kPrefill;
  std::string launch_id;
  std::string model;
  planner::ServerSpec spec;
  planner::RankLayout layout;
  std::map<std::string, std::string> labels;
  std::vector<std::string> aliases;
  uint32_t region_count = 0;
  uint32_t slots = 0;
  uint32_t peers = 0;
  uint32_t ring_bytes = 0;
  bool device_orders_writes = false;
};

// `packet` is a serialised v1::AttachRequest from an engine nobody trusts. Errors name the field
// and its value, and the rank where the packet is good enough to know it.
absl::StatusOr<AttachRequest> ParseAttachRequest(absl::string_view packet);

}  // namespace baton::attach

#endif  // BATON_TRANSFER_AGENT_ATTACH_ATTACH_REQUEST_H_
