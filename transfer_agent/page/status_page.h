// The status page of an agent: its ranks, its rooms, where their time goes, what failed and why,
// and the path that pages take. A pure function.
#ifndef BATON_TRANSFER_AGENT_PAGE_STATUS_PAGE_H_
#define BATON_TRANSFER_AGENT_PAGE_STATUS_PAGE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "admin/health.h"
#include "baton/v1/agent.pb.h"
#include "common/metrics/histogram.h"

namespace baton::agent {

// A page is smaller than this, whatever the agent does.
inline constexpr size_t kPageBytesMax = 150 * 1024;

struct StageValues {
  std::string name;
  metrics::HistogramValues values;
};

struct PageInput {
  admin::Health health;
  v1::AgentStatusResponse status;
  std::vector<StageValues> stages;
  // Rooms that have not ended, in any order.
  std::vector<v1::RoomStatus> live;
  // The last ones that failed, newest first.
  std::vector<v1::RoomStatus> failed;
};

std::string StatusPage(const PageInput& input);

}  // namespace baton::agent

#endif  // BATON_TRANSFER_AGENT_PAGE_STATUS_PAGE_H_
