#include "planner/proof/check.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "planner/descriptor.h"
#include "planner/flows.h"

namespace baton::planner {
namespace {

using oracle::Cell;

std::string Show(const ServerSpec& spec, const Cell& cell) {
  const TensorSpec& tensor = spec.tensors[cell.tensor];
  return absl::StrCat("kind ", static_cast<int>(tensor.kind), " '", tensor.name, "' layer ",
                      cell.layer, " head ", cell.head, " entry ", cell.entry);
}

// What one target needs, by address.
class Needs {
 public:
  Needs(const ServerSpec& spec, const ServerSpec& source_spec, const ModelRank& target,
        uint64_t prefix)
      : spec_(spec) {
    for (uint64_t size : target.built.region_sizes) map_.emplace_back(size, 0);
    for (const TensorSpec& tensor : spec.tensors) {
      source_tensor_.push_back(FindSame(source_spec, tensor));
    }
    for (const Cell& cell : target.oracle->Cells()) {
      if (!target.oracle->Needed(cell, prefix)) continue;
      if (!source_tensor_[cell.tensor].has_value()) continue;  // a draft tensor of the target alone
      cells_.push_back(cell);
      const oracle::Address at = target.oracle->AddressOf(cell, target.lists);
      map_[at.region].at(at.offset) = static_cast<uint32_t>(cells_.size());
    }
    written_.assign(cells_.size(), false);
  }

  // Checks one run of `source` against the oracle.
  absl::Status Write(const CopyRun& run, const ModelRank& source, const oracle::Lists& lists) {
    if (run.target_region >= map_.size() ||
        run.target_offset + run.length > map_[run.target_region].size()) {
      return absl::InternalError("run outside the target's regions");
    }
    if (run.source_region >= source.built.region_sizes.size() ||
        run.source_offset + run.length > source.built.region_sizes[run.source_region]) {
      return absl::InternalError("run outside the source's regions");
    }
    for (uint64_t at = 0; at < run.length;) {
      const uint32_t index = map_[run.target_region][run.target_offset + at];
      if (index == 0) return absl::InternalError("writes where no needed cell begins");
      const Cell& cell = cells_[index - 1];
      if (written_[index - 1]) return Wrong("written twice", cell);
      written_[index - 1] = true;
      Cell there = cell;
      there.tensor = *source_tensor_[cell.tensor];
      if (!source.oracle->Serves(there)) return Wrong("from a rank that lacks it", cell);
      const oracle::Address from = source.oracle->AddressOf(there, lists);
      if (from.region != run.source_region || from.offset != run.source_offset + at) {
        return Wrong("from a wrong address", cell);
      }
      at += spec_.tensors[cell.tensor].head_bytes;
      if (at > run.length) return Wrong("only in part", cell);
    }
    return absl::OkStatus();
  }

  absl::Status Finish() const {
    for (size_t i = 0; i < cells_.size(); ++i) {
      if (!written_[i]) return Wrong("never written", cells_[i]);
    }
    return absl::OkStatus();
  }

 private:
  static std::optional<uint32_t> FindSame(const ServerSpec& spec, const TensorSpec& tensor) {
    for (uint32_t t = 0; t < spec.tensors.size(); ++t) {
      if (spec.tensors[t].kind == tensor.kind && spec.tensors[t].name == tensor.name) return t;
    }
    return std::nullopt;
  }
  absl::Status Wrong(absl::string_view what, const Cell& cell) const {
    return absl::InternalError(absl::StrCat(Show(spec_, cell), " ", what));
  }

  const ServerSpec& spec_;
  std::vector<std::vector<uint32_t>> map_;  // of each region: 1 + the cell that begins at a byte
  std::vector<std::optional<uint32_t>> source_tensor_;
  std::vector<Cell> cells_;
  std::vector<bool> written_;
};

// Both sides known, source alone and target alone must tell of one byte stream.
absl::Status CheckStreams(const PairPlan& plan, const Trial& trial, const ChunkRange& chunk,
                          const SidePages& source, const SidePages& target) {
  Cursor both(&plan, trial.tokens, chunk, &source, &target);
  Cursor from(&plan, trial.tokens, chunk, &source, nullptr);
  Cursor to(&plan, trial.tokens, chunk, nullptr, &target);
  if (both.bytes_total() != from.bytes_total() || both.bytes_total() != to.bytes_total()) {
    return absl::InternalError("one-sided cursors differ in bytes");
  }
  CopyRun run;
  CopyRun source_run;
  CopyRun target_run;
  uint64_t bytes = 0;
  while (both.Next(absl::MakeSpan(&run, 1)) == 1) {
    for (uint64_t at = 0; at < run.length; ++at, ++bytes) {
      if (source_run.length == 0 && from.Next(absl::MakeSpan(&source_run, 1)) == 0) {
        return absl::InternalError("the source's stream is short");
      }
      if (target_run.length == 0 && to.Next(absl::MakeSpan(&target_run, 1)) == 0) {
        return absl::InternalError("the target's stream is short");
      }
      if (source_run.source_offset != run.source_offset + at ||
          source_run.source_region != run.source_region ||
          target_run.target_offset != run.target_offset + at ||
          target_run.target_region != run.target_region) {
        return absl::InternalError(absl::StrCat("streams differ at byte ", bytes));
      }
      ++source_run.source_offset, --source_run.length;
      ++target_run.target_offset, --target_run.length;
    }
  }
  if (bytes != both.bytes_total()) return absl::InternalError("bytes_total is wrong");
  return absl::OkStatus();
}

absl::Status CheckSource(const Trial& trial, const RankCoord& coord, const ModelRank& target,
                         bool sends, Needs* needs, Tally* tally) {
  const ModelRank& source = trial.source->At(coord);
  const auto plan = PlanPair(trial.source->spec(), coord, source.built.layout, trial.target->spec(),
                             target.coord, target.built.layout, trial.policy);
  if (!plan.ok()) return plan.status();
  ++tally->plans;
  const uint64_t room_bytes = RoomBytes(*plan, trial.tokens);
  if ((room_bytes > 0) != sends) {
    return absl::InternalError(absl::StrCat(ToString(coord), " moves ", room_bytes,
                                            " bytes, which SourcesOf does not say"));
  }
  const SidePages target_pages =
      ModelServer::PagesFrom(trial.target->spec(), target, trial.tokens.prefix);
  uint64_t bytes = 0;
  for (const ChunkRange& chunk : trial.chunks) {
    const SidePages source_pages =
        ModelServer::PagesFrom(trial.source->spec(), source, chunk.token_begin);
    Cursor cursor(&*plan, trial.tokens, chunk, &source_pages, &target_pages);
    CopyRun runs[7];
    uint64_t chunk_bytes = 0;
    while (const size_t n = cursor.Next(absl::MakeSpan(runs))) {
      for (size_t i = 0; i < n; ++i) {
        if (auto s = needs->Write(runs[i], source, source.lists); !s.ok()) {
          return absl::InternalError(absl::StrCat("from ", ToString(coord), ": ", s.message()));
        }
        chunk_bytes += runs[i].length;
      }
      tally->runs += n;
    }
    if (chunk_bytes != cursor.bytes_total()) return absl::InternalError("bytes_total is wrong");
    bytes += chunk_bytes;
    if (!trial.thorough) continue;
    if (auto s = CheckStreams(*plan, trial, chunk, source_pages, target_pages); !s.ok()) return s;
  }
  if (bytes != room_bytes) return absl::InternalError("RoomBytes is not the sum of the chunks");
  tally->bytes += bytes;
  return absl::OkStatus();
}

absl::Status CheckLists(const Trial& trial, const RankCoord& coord, bool source) {
  ModelServer& server = source ? *trial.source : *trial.target;
  const ModelRank& rank = server.At(coord);
  const uint64_t begin = source ? 0 : trial.tokens.prefix;
  for (uint32_t g = 0; g < server.spec().page_groups.size(); ++g) {
    const size_t need =
        PagesNeeded(server.spec(), coord, g, begin, trial.tokens.total, trial.tokens.total);
    if (need != 0 && need != rank.lists.pages[g].size()) {
      return absl::InternalError(absl::StrCat("PagesNeeded says ", need, " of group ", g,
                                              ", the oracle ", rank.lists.pages[g].size()));
    }
  }
  return ValidatePages(server.spec(), coord, rank.built.layout,
                       ModelServer::PagesFrom(server.spec(), rank, begin), begin,
                       trial.tokens.total, trial.tokens.total, true);
}

absl::Status CheckMirror(const Trial& trial, const RankCoord& source, const RankCoord& target,
                         bool sends) {
  const auto targets = TargetsOf(trial.source->spec(), source, trial.target->spec(), target.dp,
                                 trial.policy, trial.tokens);
  if (std::binary_search(targets.begin(), targets.end(), target) == sends) {
    return absl::OkStatus();
  }
  return absl::InternalError("TargetsOf contradicts SourcesOf");
}

}  // namespace

absl::Status CheckTarget(const Trial& trial, const RankCoord& coord, Tally* tally) {
  const ModelRank& target = trial.target->At(coord);
  Needs needs(trial.target->spec(), trial.source->spec(), target, trial.tokens.prefix);
  const auto sources =
      SourcesOf(trial.source->spec(), 0, trial.target->spec(), coord, trial.policy, trial.tokens);
  if (!std::is_sorted(sources.begin(), sources.end())) return absl::InternalError("not sorted");
  ++tally->targets;
  if (auto s = CheckLists(trial, coord, /*source=*/false); !s.ok()) return s;
  for (const RankCoord& source : trial.thorough ? trial.source->Ranks() : sources) {
    const bool sends = std::binary_search(sources.begin(), sources.end(), source);
    absl::Status status = CheckSource(trial, source, target, sends, &needs, tally);
    if (status.ok() && trial.thorough) status = CheckMirror(trial, source, coord, sends);
    if (status.ok()) status = CheckLists(trial, source, /*source=*/true);
    if (!status.ok()) return status;
  }
  return needs.Finish();
}

std::vector<ChunkRange> RandomChunks(const RoomTokens& tokens, uint32_t layers, Random& random) {
  std::vector<ChunkRange> chunks;
  uint64_t at = 0;
  while (at < tokens.total) {
    uint64_t end = Draw(random, at + 1, tokens.total);
    if (random() % 2 == 0) end = tokens.total;
    const uint32_t cut = random() % 4 == 0 ? static_cast<uint32_t>(Draw(random, 0, layers)) : 0;
    // Some page groups in a chunk of their own.
    const uint16_t apart = random() % 3 == 0 ? static_cast<uint16_t>(random()) : 0;
    for (const uint16_t groups : {static_cast<uint16_t>(~apart), apart}) {
      if (groups == 0) continue;
      if (cut != 0) chunks.push_back({at, end, 0, cut, false, groups});
      chunks.push_back({at, end, cut, UINT32_MAX, false, groups});
    }
    at = end;
  }
  if (chunks.empty() || random() % 3 == 0)
    chunks.push_back({at, at, 0, UINT32_MAX, false, kAllGroups});
  chunks.back().last = true;
  return chunks;
}

}  // namespace baton::planner
