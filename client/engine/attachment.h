// What an engine holds while it is attached to one start of its agent.
#ifndef BATON_CLIENT_ENGINE_ATTACHMENT_H_
#define BATON_CLIENT_ENGINE_ATTACHMENT_H_

#include <functional>

#include "absl/status/statusor.h"
#include "client/engine/engine_client.h"
#include "common/clock.h"
#include "common/ids.h"
#include "common/memfd.h"
#include "common/unique_fd.h"

namespace baton {

struct Attachment {
  Epoch epoch;
  UniqueFd connection;  // its end is the end of the attachment
  UniqueFd pidfd;       // readable once the agent's process is dead
  UniqueFd doorbell;
  UniqueFd table;  // checked, not mapped: the client keeps all tables at one address
  Mapping ring;
};

// Asked at least every 50 ms while AttachToAgent waits; false gives up.
using KeepGoing = std::function<bool()>;

// Connects, hands over regions and layout, and checks what comes back. While nobody listens, or the
// agent says that it is not ready for this rank yet, it tries again until the deadline. Errors name
// the rank, the socket and what to do.
absl::StatusOr<Attachment> AttachToAgent(const EngineOptions& options, TimePoint deadline,
                                         const KeepGoing& keep_going);

}  // namespace baton

#endif  // BATON_CLIENT_ENGINE_ATTACHMENT_H_
