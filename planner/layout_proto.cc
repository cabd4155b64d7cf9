#include "planner/layout_proto.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "planner/limits.h"

namespace baton::planner {
namespace {

absl::Status Bad(absl::string_view field, absl::string_view what) {
  return Error(Reason::kBadSpec, absl::StrCat(field, ": ", what));
}

absl::Status AtMost(absl::string_view field, uint64_t count, uint64_t most) {
  if (count <= most) return absl::OkStatus();
  return Bad(field, absl::StrCat(count, " is above ", most));
}

absl::StatusOr<TensorSpec> TensorFromProto(const v1::TensorSpec& message) {
  if (message.kind() < v1::KIND_K || message.kind() > v1::KIND_AUX) {
    return Bad("tensors.kind", absl::StrCat(message.kind(), " is unknown"));
  }
  if (auto s = AtMost("tensors.name's length", message.name().size(), kNameMax); !s.ok()) return s;
  if (auto s = AtMost("tensors.dtype's length", message.dtype().size(), kNameMax); !s.ok()) {
    return s;
  }
  if (auto s = AtMost("tensors.layers", message.layers_size(), kLayersMax); !s.ok()) return s;
  if (auto s = AtMost("tensors.sub_blocks", message.sub_blocks_size(), kSubBlocksMax); !s.ok()) {
    return s;
  }
  TensorSpec tensor;
  tensor.kind = static_cast<Kind>(message.kind());
  tensor.name = message.name();
  tensor.layers.assign(message.layers().begin(), message.layers().end());
  tensor.page_group = message.page_group();
  tensor.dtype = message.dtype();
  tensor.heads = message.heads();
  tensor.head_bytes = message.head_bytes();
  tensor.tokens_per_entry = message.tokens_per_entry();
  tensor.tp_sharded = message.tp_sharded();
  tensor.sub_blocks.assign(message.sub_blocks().begin(), message.sub_blocks().end());
  tensor.draft = message.draft();
  tensor.last_stage = message.last_stage();
  return tensor;
}

v1::TensorSpec TensorToProto(const TensorSpec& tensor) {
  v1::TensorSpec message;
  message.set_kind(static_cast<v1::Kind>(tensor.kind));
  message.set_name(tensor.name);
  message.mutable_layers()->Add(tensor.layers.begin(), tensor.layers.end());
  message.set_page_group(tensor.page_group);
  message.set_dtype(tensor.dtype);
  message.set_heads(tensor.heads);
  message.set_head_bytes(tensor.head_bytes);
  message.set_tokens_per_entry(tensor.tokens_per_entry);
  message.set_tp_sharded(tensor.tp_sharded);
  message.mutable_sub_blocks()->Add(tensor.sub_blocks.begin(), tensor.sub_blocks.end());
  message.set_draft(tensor.draft);
  message.set_last_stage(tensor.last_stage);
  return message;
}

absl::StatusOr<HolderPolicy> HolderFromProto(absl::string_view field, v1::HolderPolicy message) {
  if (message == v1::HOLDER_POLICY_UNSPECIFIED || message == v1::HOLDER_POLICY_ONE) {
    return HolderPolicy::kOne;
  }
  if (message == v1::HOLDER_POLICY_SPREAD) return HolderPolicy::kSpread;
  return Bad(field, absl::StrCat(message, " is unknown"));
}

absl::Status StagesFromProto(const v1::ServerSpec& message, ServerSpec* spec) {
  if (auto s = AtMost("stages", message.stages_size(), kAxisMax); !s.ok()) return s;
  size_t layers = 0;
  for (const v1::Stage& stage : message.stages()) {
    layers += stage.layers_size();
    if (auto s = AtMost("layers of all stages", layers, kLayersMax); !s.ok()) return s;
    spec->stages.emplace_back(stage.layers().begin(), stage.layers().end());
  }
  return absl::OkStatus();
}

}  // namespace

v1::RankCoord ToProto(const RankCoord& coord) {
  v1::RankCoord message;
  message.set_dp(coord.dp);
  message.set_pp(coord.pp);
  message.set_cp(coord.cp);
  message.set_tp(coord.tp);
  return message;
}

RankCoord FromProto(const v1::RankCoord& coord) {
  return {coord.dp(), coord.pp(), coord.cp(), coord.tp()};
}

v1::ServerSpec ToProto(const ServerSpec& spec) {
  v1::ServerSpec message;
  *message.mutable_sizes() = ToProto(spec.sizes);
  for (const auto& stage : spec.stages) {
    message.add_stages()->mutable_layers()->Add(stage.begin(), stage.end());
  }
  message.set_cp_sharding(static_cast<v1::CpSharding>(spec.cp_sharding));
  for (const PageGroup& group : spec.page_groups) {
    v1::PageGroup* added = message.add_page_groups();
    added->set_page_tokens(group.page_tokens);
    added->set_window_tokens(group.window_tokens);
  }
  for (const TensorSpec& tensor : spec.tensors) *message.add_tensors() = TensorToProto(tensor);
  return message;
}

absl::StatusOr<ServerSpec> FromProto(const v1::ServerSpec& message) {
  ServerSpec spec;
  spec.sizes = FromProto(message.sizes());
  if (message.cp_sharding() < v1::CP_SHARDING_REPLICATED ||
      message.cp_sharding() > v1::CP_SHARDING_INTERLEAVED_PAGE_CP_TP) {
    return Bad("cp_sharding", absl::StrCat(message.cp_sharding(), " is unknown"));
  }
  spec.cp_sharding = static_cast<CpSharding>(message.cp_sharding());
  if (auto s = StagesFromProto(message, &spec); !s.ok()) return s;
  if (auto s = AtMost("page_groups", message.page_groups_size(), kPageGroupsMax); !s.ok()) {
    return s;
  }
  for (const v1::PageGroup& group : message.page_groups()) {
    spec.page_groups.push_back({group.page_tokens(), group.window_tokens()});
  }
  if (auto s = AtMost("tensors", message.tensors_size(), kTensorsMax); !s.ok()) return s;
  for (const v1::TensorSpec& tensor : message.tensors()) {
    auto converted = TensorFromProto(tensor);
    if (!converted.ok()) return converted.status();
    spec.tensors.push_back(*std::move(converted));
  }
  return spec;
}

v1::RankLayout ToProto(const RankLayout& layout) {
  v1::RankLayout message;
  for (const BufferLayout& b : layout.buffers) {
    v1::BufferLayout* added = message.add_buffers();
    added->set_tensor(b.tensor);
    added->set_layer(b.layer);
    added->set_region(b.region);
    added->set_offset(b.offset);
    added->set_pages(b.pages);
    added->set_page_stride(b.page_stride);
    added->set_entry_stride(b.entry_stride);
    added->set_head_stride(b.head_stride);
  }
  return message;
}

absl::StatusOr<RankLayout> FromProto(const v1::RankLayout& message) {
  if (auto s = AtMost("buffers", message.buffers_size(), kBuffersMax); !s.ok()) return s;
  RankLayout layout;
  layout.buffers.reserve(message.buffers_size());
  for (const v1::BufferLayout& b : message.buffers()) {
    layout.buffers.push_back({b.tensor(), b.layer(), b.region(), b.offset(), b.pages(),
                              b.page_stride(), b.entry_stride(), b.head_stride()});
  }
  return layout;
}

v1::RoutePolicy ToProto(const RoutePolicy& policy) {
  v1::RoutePolicy message;
  message.set_tp_holder(static_cast<v1::HolderPolicy>(policy.tp_holder));
  message.set_cp_holder(static_cast<v1::HolderPolicy>(policy.cp_holder));
  return message;
}

absl::StatusOr<RoutePolicy> FromProto(const v1::RoutePolicy& message) {
  const auto tp = HolderFromProto("tp_holder", message.tp_holder());
  if (!tp.ok()) return tp.status();
  const auto cp = HolderFromProto("cp_holder", message.cp_holder());
  if (!cp.ok()) return cp.status();
  return RoutePolicy{*tp, *cp};
}

}  // namespace baton::planner
