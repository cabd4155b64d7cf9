// What libibverbs and sysfs say about the host's devices.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_PROVIDER_LISTING_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_PROVIDER_LISTING_H_

#include <vector>

#include "transfer_agent/transport/verbs/verbs.h"

namespace baton::transport::verbs {

// Opens every device for a moment. A device that cannot be opened is listed with its error.
std::vector<PortListing> ListPorts();

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_PROVIDER_LISTING_H_
