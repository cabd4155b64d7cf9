// absl::Status with its reason and rank <-> grpc::Status with a serialized ErrorDetail. Skins only.
#ifndef BATON_CLIENT_RPC_STATUS_H_
#define BATON_CLIENT_RPC_STATUS_H_

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace baton {

grpc::Status ToGrpc(const absl::Status& status);
// A status that carries no ErrorDetail (gRPC's own: peer not reachable, deadline passed, message
// too large) gets the reason that fits its code. `what` goes before the message.
absl::Status FromGrpc(const grpc::Status& status, absl::string_view what = "");

}  // namespace baton

#endif  // BATON_CLIENT_RPC_STATUS_H_
