#include "transfer_agent/control/hello.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "common/utf8.h"
#include "planner/plan.h"

namespace baton::control {
namespace {

constexpr size_t kAddressBytesMax = 256;

absl::Status Bad(absl::string_view what) {
  return Error(Reason::kBadMessage, absl::StrCat("hello: ", what));
}

absl::Status CheckFields(const v1::Hello& said) {
  if (said.priority() != v1::PRIORITY_BULK && said.priority() != v1::PRIORITY_URGENT) {
    return Bad(absl::StrCat("priority ", static_cast<int>(said.priority()), " is unknown"));
  }
  if (said.agent_address().empty() || said.agent_address().size() > kAddressBytesMax) {
    return Bad(absl::StrCat("agent_address has ", said.agent_address().size(), " bytes; 1 to ",
                            kAddressBytesMax));
  }
  if (!IsCleanUtf8(said.agent_address())) return Bad("agent_address holds a control character");
  if (said.epoch() == 0) return Bad("epoch is 0");
  if (said.link() == 0) return Bad("link is 0");
  return absl::OkStatus();
}

}  // namespace

v1::Frame MakeHello(const Hello& hello) {
  v1::Frame frame;
  v1::Hello& said = *frame.mutable_hello();
  said.set_priority(hello.priority == Priority::kUrgent ? v1::PRIORITY_URGENT : v1::PRIORITY_BULK);
  said.set_agent_address(hello.address);
  said.set_epoch(hello.epoch.value());
  said.set_peer_epoch(hello.peer_epoch.value());
  said.set_link(hello.link);
  said.set_connection(hello.connection);
  said.set_delivered(hello.delivered);
  said.set_planner_version_min(planner::kPlannerVersionMin);
  said.set_planner_version_max(planner::kPlannerVersionMax);
  said.set_protocol_major(kProtocolMajor);
  return frame;
}

absl::StatusOr<Hello> ParseHello(const v1::Frame& frame) {
  if (!frame.has_hello()) return Bad("the stream begins with another frame");
  const v1::Hello& said = frame.hello();
  // First: the meaning of all else depends on it.
  if (said.protocol_major() != kProtocolMajor) {
    return Error(Reason::kPeerRefused,
                 absl::StrCat("the peer speaks protocol ", said.protocol_major(), ", this agent ",
                              kProtocolMajor));
  }
  if (absl::Status status = CheckFields(said); !status.ok()) return status;
  const uint32_t version = std::min(said.planner_version_max(), planner::kPlannerVersionMax);
  if (version < said.planner_version_min() || version < planner::kPlannerVersionMin) {
    return Error(Reason::kPlanDiffers,
                 absl::StrCat("the peer has planner versions ", said.planner_version_min(), " to ",
                              said.planner_version_max(), ", this agent ",
                              planner::kPlannerVersionMin, " to ", planner::kPlannerVersionMax));
  }
  Hello hello;
  hello.priority = said.priority() == v1::PRIORITY_URGENT ? Priority::kUrgent : Priority::kBulk;
  hello.address = said.agent_address();
  hello.epoch = Epoch(said.epoch());
  hello.peer_epoch = Epoch(said.peer_epoch());
  hello.link = said.link();
  hello.connection = said.connection();
  hello.delivered = said.delivered();
  hello.planner_version = version;
  return hello;
}

}  // namespace baton::control
