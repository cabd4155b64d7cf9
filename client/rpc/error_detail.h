// A status with its reason and rank, as the message that travels in gRPC errors and control
// messages. Free of gRPC.
#ifndef BATON_CLIENT_RPC_ERROR_DETAIL_H_
#define BATON_CLIENT_RPC_ERROR_DETAIL_H_

#include "absl/status/status.h"
#include "baton/v1/types.pb.h"

namespace baton {

// Longer texts are cut: a gRPC status travels in a trailer of at most 8 KiB.
inline constexpr size_t kErrorMessageBytesMax = 1024;

// `status` is not OK.
v1::ErrorDetail ToDetail(const absl::Status& status);
// Never OK. A reason of a newer version is UNKNOWN, its name kept in the message.
absl::Status FromDetail(const v1::ErrorDetail& detail);

}  // namespace baton

#endif  // BATON_CLIENT_RPC_ERROR_DETAIL_H_
