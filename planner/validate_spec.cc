#include <algorithm>
#include <numeric>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "planner/flows.h"
#include "planner/kind_names.h"
#include "planner/limits.h"
#include "planner/plan.h"

namespace baton::planner {
namespace {

absl::Status Bad(absl::string_view field, absl::string_view what) {
  return Error(Reason::kBadSpec, absl::StrCat(field, ": ", what));
}

absl::Status InRange(absl::string_view field, uint64_t value, uint64_t low, uint64_t high) {
  if (value >= low && value <= high) return absl::OkStatus();
  return Bad(field, absl::StrCat(value, " is not in [", low, ", ", high, "]"));
}

// The first status that is not OK.
absl::Status First(std::initializer_list<absl::Status> checks) {
  for (const absl::Status& status : checks) {
    if (!status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CheckSizes(const ServerSpec& spec) {
  const RankCoord& s = spec.sizes;
  absl::Status status =
      First({InRange("sizes.dp", s.dp, 1, kAxisMax), InRange("sizes.pp", s.pp, 1, kAxisMax),
             InRange("sizes.cp", s.cp, 1, kAxisMax), InRange("sizes.tp", s.tp, 1, kAxisMax)});
  if (!status.ok()) return status;
  return InRange("ranks (dp * pp * cp * tp)", uint64_t{s.dp} * s.pp * s.cp * s.tp, 1, kRanksMax);
}

absl::Status CheckStages(const ServerSpec& spec, std::vector<bool>* staged) {
  if (spec.stages.size() != spec.sizes.pp) {
    return Bad("stages",
               absl::StrCat(spec.stages.size(), " of them, but sizes.pp is ", spec.sizes.pp));
  }
  staged->assign(kLayerIdMax + 1, false);
  size_t count = 0;
  for (size_t pp = 0; pp < spec.stages.size(); ++pp) {
    for (uint32_t layer : spec.stages[pp]) {
      const std::string field = absl::StrCat("stages[", pp, "].layers");
      if (auto s = InRange(field, layer, 0, kLayerIdMax); !s.ok()) return s;
      if ((*staged)[layer]) return Bad(field, absl::StrCat("layer ", layer, " is there twice"));
      (*staged)[layer] = true;
    }
    count += spec.stages[pp].size();
  }
  return InRange("layers of all stages", count, 0, kLayersMax);
}

absl::Status CheckGroups(const ServerSpec& spec) {
  if (auto s = InRange("page_groups", spec.page_groups.size(), 0, kPageGroupsMax); !s.ok()) {
    return s;
  }
  for (size_t g = 0; g < spec.page_groups.size(); ++g) {
    const std::string field = absl::StrCat("page_groups[", g, "].page_tokens");
    if (auto s = InRange(field, spec.page_groups[g].page_tokens, 1, kPageTokensMax); !s.ok()) {
      return s;
    }
  }
  return absl::OkStatus();
}

absl::Status CheckLayers(const std::string& field, const TensorSpec& tensor,
                         const std::vector<bool>& staged) {
  const auto& layers = tensor.layers;
  if (tensor.kind == Kind::kAux) {
    if (layers == std::vector<uint32_t>{0}) return absl::OkStatus();
    return Bad(field + ".layers", "AUX has the single pseudo layer 0");
  }
  if (layers.empty()) return Bad(field + ".layers", "there is none");
  for (size_t i = 0; i < layers.size(); ++i) {
    if (i > 0 && layers[i] <= layers[i - 1]) {
      return Bad(field + ".layers",
                 absl::StrCat(layers[i], " after ", layers[i - 1], ": not ascending"));
    }
    if (layers[i] > kLayerIdMax || !staged[layers[i]]) {
      return Bad(field + ".layers", absl::StrCat("layer ", layers[i], " is in no stage"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckRow(const std::string& field, const TensorSpec& tensor) {
  if (tensor.tokens_per_entry != 1) {
    return Bad(field + ".tokens_per_entry",
               absl::StrCat(tensor.tokens_per_entry, ", but STATE and AUX have rows: want 1"));
  }
  if (tensor.kind == Kind::kAux && tensor.tp_sharded) {
    return Bad(field + ".tp_sharded", "AUX is never split");
  }
  if (tensor.sub_blocks.empty()) return absl::OkStatus();
  if (tensor.kind != Kind::kState) return Bad(field + ".sub_blocks", "only STATE has them");
  if (auto s = InRange(field + ".sub_blocks", tensor.sub_blocks.size(), 1, kSubBlocksMax);
      !s.ok()) {
    return s;
  }
  for (uint32_t block : tensor.sub_blocks) {
    if (auto s = InRange(field + ".sub_blocks", block, 1, tensor.heads); !s.ok()) return s;
  }
  const uint64_t sum =
      std::accumulate(tensor.sub_blocks.begin(), tensor.sub_blocks.end(), uint64_t{0});
  if (sum == tensor.heads) return absl::OkStatus();
  return Bad(field + ".sub_blocks",
             absl::StrCat("their sum is ", sum, ", but heads is ", tensor.heads));
}

absl::Status CheckPaged(const ServerSpec& spec, const std::string& field,
                        const TensorSpec& tensor) {
  if (tensor.page_group >= spec.page_groups.size()) {
    return Bad(field + ".page_group", absl::StrCat(tensor.page_group, ", but there are ",
                                                   spec.page_groups.size(), " page_groups"));
  }
  if (!tensor.sub_blocks.empty()) return Bad(field + ".sub_blocks", "only STATE has them");
  if (PagesOverTp(spec.cp_sharding) && tensor.tp_sharded) {
    return Bad(field + ".tp_sharded",
               absl::StrCat("its heads cannot be split over tp: cp_sharding ",
                            Name(spec.cp_sharding), " splits its pages over tp"));
  }
  const uint32_t page_tokens = spec.page_groups[tensor.page_group].page_tokens;
  const uint32_t per_entry = tensor.tokens_per_entry;
  if (per_entry == 0 || page_tokens % per_entry != 0) {
    return Bad(field + ".tokens_per_entry",
               absl::StrCat(per_entry, " does not divide page_tokens ", page_tokens));
  }
  if (spec.cp_sharding != CpSharding::kInterleavedToken) return absl::OkStatus();
  const uint32_t granule = GranuleTokens(spec, tensor.page_group);
  if (granule % per_entry == 0 && page_tokens % granule == 0) return absl::OkStatus();
  return Bad(field + ".tokens_per_entry",
             absl::StrCat(per_entry, " does not divide ", granule,
                          ", the largest of its page group, as INTERLEAVED_TOKEN needs"));
}

absl::Status CheckTensor(const ServerSpec& spec, size_t index, const std::vector<bool>& staged) {
  const TensorSpec& t = spec.tensors[index];
  const std::string field = absl::StrCat("tensors[", index, "]");
  const uint32_t kind = static_cast<uint32_t>(t.kind);
  absl::Status status = First({InRange(field + ".kind", kind, 1, static_cast<uint32_t>(Kind::kAux)),
                               InRange(field + ".name's length", t.name.size(), 0, kNameMax),
                               InRange(field + ".dtype's length", t.dtype.size(), 1, kNameMax),
                               InRange(field + ".heads", t.heads, 1, kHeadsMax),
                               InRange(field + ".head_bytes", t.head_bytes, 1, kHeadBytesMax),
                               InRange(field + ".heads * head_bytes",
                                       uint64_t{t.heads} * t.head_bytes, 1, kEntryBytesMax)});
  if (!status.ok()) return status;
  if (FindTensor(spec, t) != index) {
    return Bad(field, absl::StrCat("a second tensor ", TensorName(t), ": give it a name"));
  }
  if (t.last_stage && t.kind != Kind::kAux) {
    return Bad(field + ".last_stage", "only AUX can be sent by the last stage alone");
  }
  if (auto s = CheckLayers(field, t, staged); !s.ok()) return s;
  return IsRow(t.kind) ? CheckRow(field, t) : CheckPaged(spec, field, t);
}

}  // namespace

absl::Status ValidateSpec(const ServerSpec& spec) {
  const uint32_t sharding = static_cast<uint32_t>(spec.cp_sharding);
  if (auto s = CheckSizes(spec); !s.ok()) return s;
  if (auto s = InRange("cp_sharding", sharding, 1,
                       static_cast<uint32_t>(CpSharding::kInterleavedPageCpTp));
      !s.ok())
    return s;
  std::vector<bool> staged;
  if (auto s = CheckStages(spec, &staged); !s.ok()) return s;
  if (auto s = CheckGroups(spec); !s.ok()) return s;
  if (auto s = InRange("tensors", spec.tensors.size(), 1, kTensorsMax); !s.ok()) return s;
  for (size_t i = 0; i < spec.tensors.size(); ++i) {
    if (auto s = CheckTensor(spec, i, staged); !s.ok()) return s;
  }
  return absl::OkStatus();
}

}  // namespace baton::planner
