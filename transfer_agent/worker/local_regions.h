// A rank's regions as transports take them.
#ifndef BATON_TRANSFER_AGENT_WORKER_LOCAL_REGIONS_H_
#define BATON_TRANSFER_AGENT_WORKER_LOCAL_REGIONS_H_

#include <vector>

#include "transfer_agent/attach/attached_rank.h"
#include "transfer_agent/transport/transport.h"

namespace baton::worker {

// Borrowed from the rank.
inline std::vector<transport::LocalRegion> LocalRegionsOf(const attach::AttachedRank& rank) {
  std::vector<transport::LocalRegion> regions;
  for (const attach::MappedRegion& region : rank.regions) {
    regions.push_back({region.fd(), region.base(), region.size(), region.dma_buf(),
                       rank.role == Role::kDecode, rank.device_orders_writes, region.share()});
  }
  return regions;
}

}  // namespace baton::worker

#endif  // BATON_TRANSFER_AGENT_WORKER_LOCAL_REGIONS_H_
