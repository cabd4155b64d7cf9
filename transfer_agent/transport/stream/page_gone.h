// A page of a pool that its engine gave back while it was being read or written.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_STREAM_PAGE_GONE_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_STREAM_PAGE_GONE_H_

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace baton::transport {

// BAD_REGION, for the one room. `whose` is "source" or "target".
absl::Status PageGone(absl::string_view whose);

}  // namespace baton::transport

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_STREAM_PAGE_GONE_H_
