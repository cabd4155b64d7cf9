#include "transfer_agent/attach/attach_request.h"

#include "absl/strings/str_cat.h"
#include "baton/v1/attach.pb.h"
#include "common/reason.h"
#include "common/shm_abi/attach_limits.h"
#include "common/shm_abi/ring_layout.h"
#include "common/utf8.h"
#include "planner/layout_proto.h"
#include "planner/plan.h"

namespace baton::attach {
namespace {

using shm_abi::kNameMax;

RankRef RankOfRequest(const v1::AttachRequest& proto) {
  const v1::RankCoord& c = proto.coord();
  return {proto.server().substr(0, kNameMax), {c.dp(), c.pp(), c.cp(), c.tp()}};
}

absl::Status BadNumber(absl::string_view field, uint64_t value, absl::string_view allowed) {
  return Error(Reason::kBadMessage, absl::StrCat(field, " is ", value, ", not ", allowed));
}

absl::Status CheckName(absl::string_view field, absl::string_view name, bool may_be_empty) {
  if (name.size() > kNameMax || (name.empty() && !may_be_empty)) {
    return BadNumber(absl::StrCat("the length of ", field), name.size(),
                     absl::StrCat(may_be_empty ? "0" : "1", " to ", kNameMax));
  }
  if (!IsCleanUtf8(name)) {
    return Error(Reason::kBadMessage, absl::StrCat(field, " holds a control character"));
  }
  return absl::OkStatus();
}

absl::Status CheckNames(const v1::AttachRequest& proto) {
  if (absl::Status s = CheckName("server", proto.server(), false); !s.ok()) return s;
  if (absl::Status s = CheckName("launch_id", proto.launch_id(), false); !s.ok()) return s;
  if (absl::Status s = CheckName("model", proto.model(), true); !s.ok()) return s;
  size_t labels = static_cast<size_t>(proto.labels_size());
  if (labels > shm_abi::kLabelsMax) {
    return BadNumber("the number of labels", labels, absl::StrCat("at most ", shm_abi::kLabelsMax));
  }
  for (const auto& [key, value] : proto.labels()) {
    if (absl::Status s = CheckName("a label's key", key, false); !s.ok()) return s;
    if (absl::Status s = CheckName("a label", value, true); !s.ok()) return s;
  }
  if (proto.aliases_size() > static_cast<int>(shm_abi::kAliasesMax)) {
    return BadNumber("the number of aliases", proto.aliases_size(),
                     absl::StrCat("at most ", shm_abi::kAliasesMax));
  }
  for (const std::string& alias : proto.aliases()) {
    if (absl::Status s = CheckName("an alias", alias, false); !s.ok()) return s;
  }
  for (const v1::TensorSpec& tensor : proto.spec().tensors()) {
    if (absl::Status s = CheckName("a tensor's name", tensor.name(), true); !s.ok()) return s;
    if (absl::Status s = CheckName("a tensor's dtype", tensor.dtype(), true); !s.ok()) return s;
  }
  return absl::OkStatus();
}

absl::Status CheckNumbers(const v1::AttachRequest& proto) {
  if (proto.role() != v1::ROLE_PREFILL && proto.role() != v1::ROLE_DECODE) {
    return BadNumber("role", proto.role(), "prefill or decode");
  }
  if (proto.region_count() > shm_abi::kRegionsMax) {
    return BadNumber("region_count", proto.region_count(),
                     absl::StrCat("at most ", shm_abi::kRegionsMax));
  }
  if (proto.slots() < 1 || proto.slots() > shm_abi::kSlotsMax) {
    return BadNumber("slots", proto.slots(), absl::StrCat("1 to ", shm_abi::kSlotsMax));
  }
  if (proto.peers() > shm_abi::kPeersMax) {
    return BadNumber("peers", proto.peers(), absl::StrCat("at most ", shm_abi::kPeersMax));
  }
  if (!shm_abi::RingBytesValid(proto.ring_bytes())) {
    return BadNumber("ring_bytes", proto.ring_bytes(),
                     absl::StrCat("a power of two from ", shm_abi::kRingBytesMin, " to ",
                                  shm_abi::kRingBytesMax));
  }
  return absl::OkStatus();
}

absl::Status CheckCoord(const RankCoord& coord, const RankCoord& sizes) {
  if (coord.dp < sizes.dp && coord.pp < sizes.pp && coord.cp < sizes.cp && coord.tp < sizes.tp) {
    return absl::OkStatus();
  }
  return Error(Reason::kBadCoord, absl::StrCat("the rank ", ToString(coord),
                                               " is outside the server's sizes ", ToString(sizes)));
}

absl::StatusOr<AttachRequest> Convert(const v1::AttachRequest& proto) {
  if (proto.protocol_major() != shm_abi::kAttachProtocolMajor) {
    return BadNumber("protocol_major", proto.protocol_major(),
                     absl::StrCat(shm_abi::kAttachProtocolMajor,
                                  ": run engine library and agent of one major version"));
  }
  if (absl::Status s = CheckNames(proto); !s.ok()) return s;
  if (absl::Status s = CheckNumbers(proto); !s.ok()) return s;
  absl::StatusOr<planner::ServerSpec> spec = planner::FromProto(proto.spec());
  if (!spec.ok()) return spec.status();
  if (absl::Status s = planner::ValidateSpec(*spec); !s.ok()) return s;
  AttachRequest request;
  request.rank = RankOfRequest(proto);
  if (absl::Status s = CheckCoord(request.rank.coord, spec->sizes); !s.ok()) return s;
  absl::StatusOr<planner::RankLayout> layout = planner::FromProto(proto.layout());
  if (!layout.ok()) return layout.status();
  request.role = proto.role() == v1::ROLE_PREFILL ? Role::kPrefill : Role::kDecode;
  request.launch_id = proto.launch_id();
  request.model = proto.model();
  request.spec = *std::move(spec);
  request.layout = *std::move(layout);
  request.labels = {proto.labels().begin(), proto.labels().end()};
  request.aliases = {proto.aliases().begin(), proto.aliases().end()};
  request.region_count = proto.region_count();
  request.slots = proto.slots();
  request.peers = proto.peers();
  request.ring_bytes = proto.ring_bytes();
  request.device_orders_writes = proto.device_orders_writes();
  return request;
}

}  // namespace

absl::StatusOr<AttachRequest> ParseAttachRequest(absl::string_view packet) {
  v1::AttachRequest proto;
  if (!proto.ParseFromArray(packet.data(), static_cast<int>(packet.size()))) {
    return Error(Reason::kBadMessage, "the first packet is no AttachRequest");
  }
  absl::StatusOr<AttachRequest> request = Convert(proto);
  if (request.ok()) return request;
  RankRef rank = RankOfRequest(proto);
  return Error(ReasonOf(request.status()), request.status().message(), rank);
}

}  // namespace baton::attach
