#include "transfer_agent/control/peer_links.h"

#include <utility>

#include "transfer_agent/control/grpc_wires.h"
#include "transfer_agent/control/links.h"

namespace baton::control {

std::unique_ptr<PeerLinks> MakePeerLinks(PeerLinksOptions options, PeerEvents* events) {
  auto wires = MakeGrpcWires(options.frame_bytes_max, options.abort_leg, options.beside);
  return std::make_unique<Links>(std::move(options), events, std::move(wires));
}

}  // namespace baton::control
