// The packets that an engine sends to attach.
#ifndef BATON_CLIENT_ENGINE_ATTACH_PACKETS_H_
#define BATON_CLIENT_ENGINE_ATTACH_PACKETS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/engine/engine_client.h"

namespace baton {

struct AttachPacket {
  std::string bytes;
  std::vector<int> fds;  // borrowed from EngineOptions
};

// The request, then the regions. TOO_LARGE when a packet cannot hold the layout.
absl::StatusOr<std::vector<AttachPacket>> MakeAttachPackets(const EngineOptions& options);

}  // namespace baton

#endif  // BATON_CLIENT_ENGINE_ATTACH_PACKETS_H_
