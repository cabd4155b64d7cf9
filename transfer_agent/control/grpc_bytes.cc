#include "transfer_agent/control/grpc_bytes.h"

#include <grpcpp/impl/codegen/proto_utils.h>
#include <grpcpp/support/slice.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/rpc/status.h"
#include "common/reason.h"

namespace baton::control {

grpc::ByteBuffer ToByteBuffer(Body body, const std::string& numbers) {
  grpc::Slice slices[2];
  size_t count = 0;
  if (!body->empty()) {
    void* const bytes = const_cast<char*>(body->data());
    const size_t size = body->size();
    slices[count++] = grpc::Slice(
        bytes, size, [](void* held) { delete static_cast<Body*>(held); },
        new Body(std::move(body)));
  }
  if (!numbers.empty()) slices[count++] = grpc::Slice(numbers);
  return grpc::ByteBuffer(slices, count);
}

absl::StatusOr<v1::Frame> ParseByteBuffer(grpc::ByteBuffer* buffer) {
  v1::Frame frame;
  const size_t size = buffer->Length();
  const grpc::Status status = grpc::SerializationTraits<v1::Frame>::Deserialize(buffer, &frame);
  if (!status.ok()) {
    return Error(Reason::kBadMessage, absl::StrCat("a message of ", size, " bytes is no frame"));
  }
  return frame;
}

absl::Status FromStreamStatus(const grpc::Status& status) {
  if (status.ok()) return Error(Reason::kPeerLost, "the peer closed the stream");
  if (!status.error_details().empty()) return FromGrpc(status);
  switch (status.error_code()) {
    case grpc::RESOURCE_EXHAUSTED:
      return Error(Reason::kTooLarge, status.error_message());
    case grpc::UNIMPLEMENTED:
      return Error(Reason::kPeerRefused, "what answers there is no agent");
    default:
      return Error(Reason::kPeerLost, status.error_message());
  }
}

}  // namespace baton::control
