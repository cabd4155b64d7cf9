// The first frame in both directions of a stream: who speaks, which link it is, where it continues.
#ifndef BATON_TRANSFER_AGENT_CONTROL_HELLO_H_
#define BATON_TRANSFER_AGENT_CONTROL_HELLO_H_

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "baton/v1/control.pb.h"
#include "common/ids.h"
#include "transfer_agent/control/priority.h"

namespace baton::control {

// Another major version is refused by name. Newer minor versions add fields, which pass.
inline constexpr uint32_t kProtocolMajor = 1;

struct Hello {
  Priority priority = Priority::kBulk;
  std::string address;  // of the speaker's control streams
  Epoch epoch;          // of the speaker
  Epoch peer_epoch;     // that the stream continues with; 0: not known yet
  uint64_t link = 0;
  uint64_t connection = 0;  // within the link and priority
  uint64_t delivered = 0;
  uint32_t planner_version = 0;  // highest both know; set by ParseHello
};

v1::Frame MakeHello(const Hello& hello);

// BAD_MESSAGE: not a Hello, or a field is missing or out of bounds. PEER_REFUSED: another protocol
// version. PLAN_DIFFERS: no planner version in common. Both versions are named.
absl::StatusOr<Hello> ParseHello(const v1::Frame& frame);

}  // namespace baton::control

#endif  // BATON_TRANSFER_AGENT_CONTROL_HELLO_H_
