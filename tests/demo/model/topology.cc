#include "tests/demo/model/topology.h"

#include <numeric>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/reason.h"

namespace baton::demo {
namespace {

using planner::CpSharding;

constexpr uint32_t kSizeMax = 64;
constexpr uint32_t kPageTokensMax = 1024;

template <typename T>
struct Named {
  absl::string_view name;
  T value;
};

constexpr Named<CpSharding> kShardings[] = {
    {"replicated", CpSharding::kReplicated},
    {"contiguous", CpSharding::kContiguous},
    {"token", CpSharding::kInterleavedToken},
    {"page", CpSharding::kInterleavedPage},
    {"zigzag", CpSharding::kZigzag},
    {"layers", CpSharding::kLayerSplit},
    {"page-tp", CpSharding::kInterleavedPageTp},
    {"page-cp-tp", CpSharding::kInterleavedPageCpTp},
};

constexpr Named<PoolOrder> kOrders[] = {{"token", PoolOrder::kToken},
                                        {"head", PoolOrder::kHead},
                                        {"joined", PoolOrder::kJoined},
                                        {"cross", PoolOrder::kCross}};

template <typename T, size_t n>
bool Lookup(const Named<T> (&table)[n], absl::string_view name, T* value) {
  for (const Named<T>& row : table) {
    if (row.name != name) continue;
    *value = row.value;
    return true;
  }
  return false;
}

bool ParseSize(absl::string_view text, uint32_t max, uint32_t* size) {
  uint32_t value = 0;
  if (!absl::SimpleAtoi(text, &value) || value < 1 || value > max) return false;
  *size = value;
  return true;
}

bool ParseStages(absl::string_view text, std::vector<uint32_t>* stages) {
  stages->clear();
  for (absl::string_view part : absl::StrSplit(text, '+')) {
    uint32_t layers = 0;
    if (!ParseSize(part, 4096, &layers)) return false;
    stages->push_back(layers);
  }
  return true;
}

// Empty when fine.
std::string ParseItem(absl::string_view item, Topology* topology) {
  std::string size_range = absl::StrCat("a number from 1 to ", kSizeMax);
  if (absl::ConsumePrefix(&item, "dp")) {
    return ParseSize(item, kSizeMax, &topology->sizes.dp) ? "" : size_range;
  }
  if (absl::ConsumePrefix(&item, "pp")) {
    return ParseSize(item, kSizeMax, &topology->sizes.pp) ? "" : size_range;
  }
  if (absl::ConsumePrefix(&item, "tp")) {
    return ParseSize(item, kSizeMax, &topology->sizes.tp) ? "" : size_range;
  }
  if (absl::ConsumePrefix(&item, "cp")) {
    std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(item, absl::MaxSplits(':', 1));
    if (!ParseSize(parts.first, kSizeMax, &topology->sizes.cp)) return size_range;
    if (parts.second.empty() || Lookup(kShardings, parts.second, &topology->cp_sharding)) return "";
    return "cpN:replicated, contiguous, token, page, zigzag, layers, page-tp or page-cp-tp";
  }
  if (absl::ConsumePrefix(&item, "page")) {
    return ParseSize(item, kPageTokensMax, &topology->page_tokens)
               ? ""
               : absl::StrCat("a number from 1 to ", kPageTokensMax);
  }
  if (absl::ConsumePrefix(&item, "pool:")) {
    return Lookup(kOrders, item, &topology->order) ? "" : "token, head, joined or cross";
  }
  if (absl::ConsumePrefix(&item, "stages:")) {
    return ParseStages(item, &topology->stages) ? "" : "layer counts, as 5+4+3";
  }
  return "dpN, ppN, cpN[:sharding], tpN, pageN, pool:ORDER or stages:A+B";
}

// The first stages have one layer more where it does not divide.
std::vector<uint32_t> Balanced(uint32_t layers, uint32_t stages) {
  std::vector<uint32_t> counts;
  for (uint32_t i = 0; i < stages; ++i) {
    counts.push_back(layers / stages + (i < layers % stages ? 1 : 0));
  }
  return counts;
}

}  // namespace

absl::StatusOr<Topology> ParseTopology(absl::string_view text) {
  Topology topology;
  for (absl::string_view item : absl::StrSplit(text, ',', absl::SkipWhitespace())) {
    std::string wanted = ParseItem(item, &topology);
    if (wanted.empty()) continue;
    return Error(Reason::kConfig, absl::StrCat("topology ", text, ": ", item, " must be ", wanted));
  }
  if (!topology.stages.empty() && topology.stages.size() != topology.sizes.pp) {
    return Error(Reason::kConfig, absl::StrCat("topology ", text, ": ", topology.stages.size(),
                                               " stages, but pp", topology.sizes.pp));
  }
  return topology;
}

absl::StatusOr<planner::ServerSpec> BuildSpec(const Preset& preset, const Topology& topology) {
  planner::ServerSpec spec;
  spec.sizes = topology.sizes;
  spec.cp_sharding = topology.cp_sharding;
  spec.page_groups = preset.page_groups;
  if (topology.page_tokens != 0) {
    for (auto& group : spec.page_groups) group.page_tokens = topology.page_tokens;
  }
  std::vector<uint32_t> stages =
      topology.stages.empty() ? Balanced(preset.layers, topology.sizes.pp) : topology.stages;
  uint32_t layer = 0;
  for (uint32_t count : stages) {
    std::vector<uint32_t>& stage = spec.stages.emplace_back();
    for (uint32_t i = 0; i < count; ++i) stage.push_back(layer++);
  }
  if (layer != preset.layers) {
    return Error(Reason::kConfig, absl::StrCat("stages: ", layer, " layers, but ", preset.name,
                                               " has ", preset.layers));
  }
  spec.tensors = preset.tensors;
  for (planner::TensorSpec& tensor : spec.tensors) {
    const bool pages_over_tp = spec.cp_sharding == CpSharding::kInterleavedPageTp ||
                               spec.cp_sharding == CpSharding::kInterleavedPageCpTp;
    if (pages_over_tp && tensor.kind != planner::Kind::kState) tensor.tp_sharded = false;
  }
  planner::TensorSpec aux;
  aux.kind = planner::Kind::kAux;
  aux.layers = {0};
  aux.dtype = "bytes";
  aux.head_bytes = kAuxBytes;
  spec.tensors.push_back(aux);
  return spec;
}

std::vector<RankCoord> RanksOf(const RankCoord& sizes) {
  std::vector<RankCoord> ranks;
  for (uint32_t dp = 0; dp < sizes.dp; ++dp) {
    for (uint32_t pp = 0; pp < sizes.pp; ++pp) {
      for (uint32_t cp = 0; cp < sizes.cp; ++cp) {
        for (uint32_t tp = 0; tp < sizes.tp; ++tp) ranks.push_back({dp, pp, cp, tp});
      }
    }
  }
  return ranks;
}

}  // namespace baton::demo
