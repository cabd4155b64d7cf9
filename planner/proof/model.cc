#include "planner/proof/model.h"

#include <algorithm>
#include <utility>

#include "common/log.h"
#include "planner/layer_map.h"

namespace baton::planner {

ModelServer::ModelServer(ServerSpec spec, LayoutOptions options)
    : spec_(std::move(spec)), options_(std::move(options)) {
  const RankCoord& s = spec_.sizes;
  ranks_.resize(size_t{s.pp} * s.cp * s.tp);
  opened_.assign(ranks_.size(), 0);
}

std::vector<RankCoord> ModelServer::Ranks() const {
  std::vector<RankCoord> ranks;
  for (uint32_t pp = 0; pp < spec_.sizes.pp; ++pp) {
    for (uint32_t cp = 0; cp < spec_.sizes.cp; ++cp) {
      for (uint32_t tp = 0; tp < spec_.sizes.tp; ++tp) ranks.push_back({0, pp, cp, tp});
    }
  }
  return ranks;
}

void ModelServer::OpenRoom(uint64_t total, uint64_t first_token, uint64_t seed) {
  total_ = total;
  first_token_ = first_token;
  seed_ = seed;
  ++room_;
}

ModelRank& ModelServer::At(uint32_t pp, uint32_t cp, uint32_t tp) {
  const size_t index = (size_t{pp} * spec_.sizes.cp + cp) * spec_.sizes.tp + tp;
  ModelRank& rank = ranks_[index];
  if (rank.built.region_sizes.empty()) {
    rank.coord = {0, pp, cp, tp};
    auto built = BuildLayout(spec_, rank.coord, options_);
    CHECK(built.ok()) << built.status();
    rank.built = *std::move(built);
  }
  if (opened_[index] == room_) return rank;
  opened_[index] = room_;
  rank.oracle = std::make_unique<oracle::Rank>(spec_, rank.coord, rank.built.layout, total_);
  Random random(seed_ * 0x9e3779b97f4a7c15 + index);
  rank.lists = {};
  rank.lists.first_token = first_token_;
  for (uint32_t g = 0; g < spec_.page_groups.size(); ++g) {
    const size_t need = rank.oracle->PagesFor(g, first_token_, total_);
    CHECK_LE(need, options_.pages[g]);
    // Distinct pages, at times in runs, as an allocator gives them.
    std::vector<int32_t> pages(options_.pages[g]);
    for (size_t i = 0; i < pages.size(); ++i) pages[i] = static_cast<int32_t>(i);
    if (random() % 4 != 0) std::shuffle(pages.begin(), pages.end(), random);
    pages.resize(need);
    rank.lists.pages.push_back(std::move(pages));
  }
  for (const TensorSpec& tensor : spec_.tensors) {
    if (tensor.kind != Kind::kState) continue;
    rank.lists.state_rows.push_back(static_cast<uint32_t>(Draw(random, 0, options_.rows - 1)));
  }
  rank.lists.aux_row = static_cast<uint32_t>(Draw(random, 0, options_.rows - 1));
  return rank;
}

SidePages ModelServer::PagesFrom(const ServerSpec& spec, const ModelRank& rank,
                                 uint64_t first_token) {
  SidePages pages;
  pages.first_token = first_token;
  for (uint32_t g = 0; g < spec.page_groups.size(); ++g) {
    const uint64_t skip =
        rank.oracle->PageAt(g, first_token) - rank.oracle->PageAt(g, rank.lists.first_token);
    absl::Span<const int32_t> list = rank.lists.pages[g];
    pages.pages.push_back(list.subspan(std::min<size_t>(skip, list.size())));
  }
  pages.state_rows = rank.lists.state_rows;
  pages.aux_row = rank.lists.aux_row;
  return pages;
}

}  // namespace baton::planner
