#include "transfer_agent/control/validate_announce.h"

#include "absl/strings/string_view.h"
#include "transfer_agent/control/field_check.h"
#include "transfer_agent/control/validate_frame.h"

namespace baton::control {
namespace {

constexpr uint32_t kCoordMax = 65535;
constexpr size_t kNameBytesMax = 256;
constexpr int kLayersMax = 4096;
constexpr int kStagesMax = 4096;
constexpr int kTensorsMax = 1024;
constexpr int kSubBlocksMax = 256;
constexpr int kBuffersMax = 65536;
constexpr int kTransportsMax = 16;
constexpr size_t kMemoryKeyBytesMax = 1 << 20;

absl::Status ValidateTensor(const v1::TensorSpec& tensor) {
  FieldCheck check("tensors");
  check.Bytes("name", tensor.name(), kNameBytesMax);
  check.Bytes("dtype", tensor.dtype(), kNameBytesMax);
  check.Count("layers", tensor.layers_size(), kLayersMax);
  check.Count("sub_blocks", tensor.sub_blocks_size(), kSubBlocksMax);
  return check.status();
}

absl::Status ValidateSpec(const v1::ServerSpec& spec) {
  FieldCheck check("spec");
  check.Count("stages", spec.stages_size(), kStagesMax);
  check.Count("page_groups", spec.page_groups_size(), kPageListsMax);
  check.Count("tensors", spec.tensors_size(), kTensorsMax);
  if (!check.status().ok()) return check.status();
  for (const v1::Stage& stage : spec.stages()) {
    check.Count("stages.layers", stage.layers_size(), kLayersMax);
  }
  for (const v1::TensorSpec& tensor : spec.tensors()) check.Nested(ValidateTensor(tensor));
  return check.status();
}

absl::Status ValidateRank(const v1::RankAnnouncement& said) {
  FieldCheck check("ranks");
  check.Nested(ValidateRankRef("rank", said.rank()));
  check.Between("role", said.role(), v1::ROLE_PREFILL, v1::ROLE_DECODE);
  check.Nested(ValidateSpec(said.spec()));
  check.Count("layout.buffers", said.layout().buffers_size(), kBuffersMax);
  check.AtMost("worker", said.worker(), kCoordMax);
  check.Count("transports", said.transports_size(), kTransportsMax);
  for (const std::string& transport : said.transports()) {
    check.NotEmpty("transports", transport, kNameBytesMax);
  }
  check.Count("memory_keys", said.memory_keys_size(), kTransportsMax);
  for (const std::string& key : said.memory_keys()) {
    check.Bytes("memory_keys", key, kMemoryKeyBytesMax);
  }
  check.Bytes("host_key", said.host_key(), kNameBytesMax);
  return check.status();
}

}  // namespace

absl::Status ValidateRankRef(absl::string_view path, const v1::RankRef& rank) {
  FieldCheck check(path);
  check.NotEmpty("server", rank.server(), kNameBytesMax);
  check.AtMost("coord.dp", rank.coord().dp(), kCoordMax);
  check.AtMost("coord.pp", rank.coord().pp(), kCoordMax);
  check.AtMost("coord.cp", rank.coord().cp(), kCoordMax);
  check.AtMost("coord.tp", rank.coord().tp(), kCoordMax);
  return check.status();
}

absl::Status ValidateAnnounce(const v1::Announce& announce) {
  FieldCheck check("announce");
  check.Count("ranks", announce.ranks_size(), kAnnouncedRanksMax);
  if (!check.status().ok()) return check.status();
  for (const v1::RankAnnouncement& said : announce.ranks()) check.Nested(ValidateRank(said));
  return check.status();
}

}  // namespace baton::control
