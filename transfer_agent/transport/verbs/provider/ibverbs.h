// The real devices, by libibverbs.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_PROVIDER_IBVERBS_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_PROVIDER_IBVERBS_H_

#include <memory>

#include "transfer_agent/transport/verbs/verbs.h"

namespace baton::transport::verbs {

std::unique_ptr<Provider> MakeIbverbsProvider();

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_PROVIDER_IBVERBS_H_
