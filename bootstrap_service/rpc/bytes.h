// Messages that are serialized already, as gRPC sends them.
#ifndef BATON_BOOTSTRAP_SERVICE_RPC_BYTES_H_
#define BATON_BOOTSTRAP_SERVICE_RPC_BYTES_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "common/reason.h"

namespace baton::registry {

// A slice that keeps its owner alive until gRPC has sent it: no copy. (`owner` is shared by the
// queues and the transports of all receivers.)
template <typename Owner>
grpc::Slice SliceOf(std::shared_ptr<const Owner> owner, const std::string& bytes) {
  auto* held = new std::shared_ptr<const Owner>(std::move(owner));
  auto drop = [](void* p) { delete static_cast<std::shared_ptr<const Owner>*>(p); };
  return grpc::Slice(const_cast<char*>(bytes.data()), bytes.size(), drop, held);
}

template <typename Message>
absl::Status Parse(const grpc::ByteBuffer& bytes, Message* message) {
  grpc::ByteBuffer copy = bytes;  // deserializing clears its argument
  if (grpc::SerializationTraits<Message>::Deserialize(&copy, message).ok()) {
    return absl::OkStatus();
  }
  return Error(Reason::kBadMessage, "the request is no " + message->GetTypeName());
}

}  // namespace baton::registry

#endif  // BATON_BOOTSTRAP_SERVICE_RPC_BYTES_H_
