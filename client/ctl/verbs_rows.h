// The agent's settings of its RDMA devices, for verbs that use the same ones.
#ifndef BATON_CLIENT_CTL_VERBS_ROWS_H_
#define BATON_CLIENT_CTL_VERBS_ROWS_H_

#include "absl/status/statusor.h"
#include "client/ctl/options.h"
#include "transfer_agent/transport/verbs/options.h"

namespace baton::ctl {

void AddVerbsRows(Options* options, ConfigTable* table);
// CONFIG for what is no index.
absl::StatusOr<transport::verbs::Wishes> WishesOf(const Options& options);

}  // namespace baton::ctl

#endif  // BATON_CLIENT_CTL_VERBS_ROWS_H_
