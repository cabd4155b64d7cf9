// Parts of a server as messages.
#ifndef BATON_BOOTSTRAP_SERVICE_REGISTRY_VIEW_H_
#define BATON_BOOTSTRAP_SERVICE_REGISTRY_VIEW_H_

#include <cstdint>

#include "baton/v1/registry.pb.h"
#include "bootstrap_service/registry/server.h"

namespace baton::registry {

// The slot is live.
void FillRank(const Server& server, uint32_t slot, v1::RankRecord* out);
// The sum over the server's agents.
void FillLoad(const Server& server, v1::Load* out);
v1::ServerRecord RecordOf(const Server& server, uint64_t store_epoch);

}  // namespace baton::registry

#endif  // BATON_BOOTSTRAP_SERVICE_REGISTRY_VIEW_H_
