#include "transfer_agent/control/validate_frame.h"

#include "absl/strings/string_view.h"
#include "transfer_agent/control/field_check.h"
#include "transfer_agent/control/validate_announce.h"
#include "transfer_agent/transport/transport.h"

namespace baton::control {
namespace {

constexpr uint32_t kWorkersMax = 65535;
constexpr size_t kTransportNameBytesMax = 32;
constexpr int kStateRowsMax = 4096;
constexpr int kArrivedMax = 65536;  // slots of a worker
constexpr size_t kReasonBytesMax = 64;
constexpr size_t kMessageBytesMax = 4096;
constexpr size_t kWhyBytesMax = 256;

absl::Status ValidateOfferId(const v1::OfferId& offer) {
  FieldCheck check("offer");
  check.AtMost("slot", offer.slot(), UINT16_MAX);
  check.AtMost("generation", offer.generation(), transport::kGenerationMask);
  check.AtMost("worker", offer.worker(), kWorkersMax);
  return check.status();
}

absl::Status ValidateCause(const v1::ErrorDetail& cause) {
  FieldCheck check("cause");
  check.Bytes("reason", cause.reason(), kReasonBytesMax);
  check.Bytes("message", cause.message(), kMessageBytesMax);
  if (cause.has_rank()) check.Nested(ValidateRankRef("rank", cause.rank()));
  return check.status();
}

absl::Status ValidateOffer(const v1::Offer& offer) {
  FieldCheck check("offer");
  check.Nested(ValidateOfferId(offer.offer()));
  check.Nested(ValidateRankRef("source", offer.source()));
  check.Nested(ValidateRankRef("target", offer.target()));
  check.Count("pages", offer.pages_size(), kPageListsMax);
  check.Count("state_rows", offer.state_rows_size(), kStateRowsMax);
  check.Bytes("transport", offer.transport(), kTransportNameBytesMax);
  check.AtMost("prefix_tokens", offer.prefix_tokens(), offer.total_tokens());
  for (const v1::PageList& list : offer.pages()) {
    check.Bytes("pages", list.pages(), kPageListBytesMax);
  }
  return check.status();
}

absl::Status ValidateChannelOpen(const v1::ChannelOpen& open) {
  FieldCheck check("channel_open");
  check.AtMost("source_worker", open.source_worker(), kWorkersMax);
  check.AtMost("target_worker", open.target_worker(), kWorkersMax);
  check.NotEmpty("transport", open.transport(), kTransportNameBytesMax);
  check.Bytes("data", open.data(), kChannelDataBytesMax);
  return check.status();
}

absl::Status ValidateChannelAccept(const v1::ChannelAccept& accept) {
  FieldCheck check("channel_accept");
  check.AtMost("source_worker", accept.source_worker(), kWorkersMax);
  check.Bytes("transport", accept.transport(), kTransportNameBytesMax);
  check.Bytes("data", accept.data(), kChannelDataBytesMax);
  if (accept.has_cause()) check.Nested(ValidateCause(accept.cause()));
  return check.status();
}

absl::Status ValidateChannelLost(const v1::ChannelLost& lost) {
  FieldCheck check("channel_lost");
  check.AtMost("source_worker", lost.source_worker(), kWorkersMax);
  check.NotEmpty("transport", lost.transport(), kTransportNameBytesMax);
  check.Nested(ValidateCause(lost.cause()));
  return check.status();
}

absl::Status ValidateGoodbye(const v1::Goodbye& goodbye) {
  FieldCheck check("goodbye");
  check.Bytes("why", goodbye.why(), kWhyBytesMax);
  return check.status();
}

absl::Status ValidateChannelRetire(const v1::ChannelRetire& retire) {
  FieldCheck check("channel_retire");
  check.AtMost("source_worker", retire.source_worker(), kWorkersMax);
  check.NotEmpty("transport", retire.transport(), kTransportNameBytesMax);
  return check.status();
}

absl::Status ValidateChannelRetired(const v1::ChannelRetired& retired) {
  FieldCheck check("channel_retired");
  check.NotEmpty("transport", retired.transport(), kTransportNameBytesMax);
  check.Count("arrived", retired.arrived_size(), kArrivedMax);
  for (const v1::ArrivedParts& arrived : retired.arrived()) {
    check.Nested(ValidateOfferId(arrived.offer()));
  }
  return check.status();
}

// Messages of an offer's id and, some of them, a cause.
template <typename Message>
absl::Status ValidateNamed(absl::string_view path, const Message& message) {
  FieldCheck check(path);
  check.Nested(ValidateOfferId(message.offer()));
  if constexpr (requires { message.cause(); }) check.Nested(ValidateCause(message.cause()));
  if constexpr (requires { message.source(); }) {
    if (message.has_source()) check.Nested(ValidateRankRef("source", message.source()));
  }
  if constexpr (requires { message.target(); }) {
    if (message.has_target()) check.Nested(ValidateRankRef("target", message.target()));
  }
  return check.status();
}

absl::Status ValidateBody(const v1::Frame& frame) {
  switch (frame.body_case()) {
    case v1::Frame::kAnnounce:
      return ValidateAnnounce(frame.announce());
    case v1::Frame::kOffer:
      return ValidateOffer(frame.offer());
    case v1::Frame::kRefused:
      return ValidateNamed("refused", frame.refused());
    case v1::Frame::kSent:
      return ValidateNamed("sent", frame.sent());
    case v1::Frame::kLanded:
      return ValidateNamed("landed", frame.landed());
    case v1::Frame::kFailed:
      return ValidateNamed("failed", frame.failed());
    case v1::Frame::kFence:
      return ValidateNamed("fence", frame.fence());
    case v1::Frame::kFenced:
      return ValidateNamed("fenced", frame.fenced());
    case v1::Frame::kChannelOpen:
      return ValidateChannelOpen(frame.channel_open());
    case v1::Frame::kChannelAccept:
      return ValidateChannelAccept(frame.channel_accept());
    case v1::Frame::kChannelLost:
      return ValidateChannelLost(frame.channel_lost());
    case v1::Frame::kGoodbye:
      return ValidateGoodbye(frame.goodbye());
    case v1::Frame::kChannelRetire:
      return ValidateChannelRetire(frame.channel_retire());
    case v1::Frame::kChannelRetired:
      return ValidateChannelRetired(frame.channel_retired());
    case v1::Frame::kAnnounced:
      return ValidateNamed("announced", frame.announced());
    case v1::Frame::kSourceState:
      return ValidateNamed("source_state", frame.source_state());
    case v1::Frame::kHello:
    case v1::Frame::kHeartbeat:
      // Frames of the stream itself: they carry no number.
      if (frame.seq() != 0) return Error(Reason::kBadMessage, "hello or heartbeat with a number");
      return absl::OkStatus();
    case v1::Frame::BODY_NOT_SET:
      return absl::OkStatus();
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidateFrame(const v1::Frame& frame) {
  const bool counted =
      frame.body_case() != v1::Frame::kHello && frame.body_case() != v1::Frame::kHeartbeat;
  if (counted && frame.seq() == 0) return Error(Reason::kBadMessage, "a frame without a number");
  FieldCheck check("frame");
  check.AtMost("to_worker", frame.to_worker(), kWorkersMax);
  return check.status().ok() ? ValidateBody(frame) : check.status();
}

}  // namespace baton::control
