#include "client/ctl/plan_explain_model.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "planner/buffer_table.h"
#include "planner/build_copies.h"
#include "planner/cursor.h"
#include "planner/descriptor.h"
#include "planner/flows.h"
#include "planner/split.h"

namespace baton::ctl {
namespace {

using planner::CopyRun;
using planner::Cursor;
using planner::PairContext;
using planner::PairPlan;
using planner::ServerSpec;
using planner::SidePages;

// Lists in which page i is page i.
struct PlainPages {
  std::vector<std::vector<int32_t>> lists;
  std::vector<uint32_t> rows;
  SidePages pages;

  PlainPages(const ServerSpec& spec, const RankCoord& coord, uint64_t begin, uint64_t total) {
    for (uint32_t g = 0; g < spec.page_groups.size(); ++g) {
      lists.emplace_back(PagesNeeded(spec, coord, g, begin, total, total));
      std::iota(lists.back().begin(), lists.back().end(), 0);
    }
    rows.assign(planner::StateIndex(spec, static_cast<uint32_t>(spec.tensors.size())), 0);
    pages.first_token = begin;
    pages.pages.assign(lists.begin(), lists.end());
    pages.state_rows = rows;
  }
};

absl::StatusOr<std::vector<ExplainedRank>> Ranks(const ExplainedServer& server, uint64_t tokens) {
  planner::LayoutOptions options = server.style;
  for (const planner::PageGroup& group : server.spec.page_groups) {
    options.pages.push_back(
        static_cast<uint32_t>(planner::DivideUp(tokens, group.page_tokens) + 1));
  }
  std::vector<ExplainedRank> ranks;
  const RankCoord& sizes = server.spec.sizes;
  for (uint32_t pp = 0; pp < sizes.pp; ++pp) {
    for (uint32_t cp = 0; cp < sizes.cp; ++cp) {
      for (uint32_t tp = 0; tp < sizes.tp; ++tp) {
        auto built = BuildLayout(server.spec, {0, pp, cp, tp}, options);
        if (!built.ok()) return built.status();
        ranks.push_back({{0, pp, cp, tp}, *std::move(built)});
      }
    }
  }
  return ranks;
}

const ExplainedRank& Find(const std::vector<ExplainedRank>& ranks, const RankCoord& coord) {
  return *std::lower_bound(ranks.begin(), ranks.end(), coord,
                           [](const ExplainedRank& r, const RankCoord& c) { return r.coord < c; });
}

class Explainer {
 public:
  Explainer(const ExplainRequest& request, Explanation* explanation)
      : request_(request),
        explanation_(explanation),
        context_(request.prefill.spec, request.decode.spec, request.policy) {}

  absl::Status Pair(const ExplainedRank& source, const ExplainedRank& target) {
    const auto plan =
        PlanPair(context_.source(), source.coord, source.built.layout, context_.target(),
                 target.coord, target.built.layout, request_.policy);
    if (!plan.ok()) return plan.status();
    const PlainPages from(context_.source(), source.coord, 0, request_.tokens.total);
    const PlainPages to(context_.target(), target.coord, request_.tokens.prefix,
                        request_.tokens.total);
    ExplainedPair pair{source.coord, target.coord, plan->hash, plan->copies.size(), 0, 0};
    Walk(*plan, from, to, [&](const CopyRun& run) {
      ++pair.runs;
      pair.bytes += run.length;
    });
    explanation_->pairs.push_back(pair);
    return request_.expand ? Expand(source, target, from, to) : absl::OkStatus();
  }

 private:
  template <typename Fn>
  void Walk(const PairPlan& plan, const PlainPages& from, const PlainPages& to, Fn&& fn) {
    planner::ChunkRange all;
    all.token_end = request_.tokens.total;
    all.last = true;
    Cursor cursor(&plan, request_.tokens, all, &from.pages, &to.pages);
    CopyRun runs[64];
    while (const size_t n = cursor.Next(absl::MakeSpan(runs))) {
      for (size_t i = 0; i < n; ++i) fn(runs[i]);
    }
  }

  // One flow at a time, unmerged, so that every piece has one tensor, layer and head range.
  absl::Status Expand(const ExplainedRank& source, const ExplainedRank& target,
                      const PlainPages& from, const PlainPages& to) {
    const auto source_table = planner::BufferTable::Make(
        context_.source(), context_.source_layers(), source.coord, source.built.layout);
    const auto target_table = planner::BufferTable::Make(
        context_.target(), context_.target_layers(), target.coord, target.built.layout);
    if (!source_table.ok()) return source_table.status();
    if (!target_table.ok()) return target_table.status();
    std::vector<planner::Flow> flows;
    PairPlan plan;
    context_.Flows(source.coord, target.coord, &flows, &plan.sets);
    for (const planner::Flow& flow : flows) {
      plan.copies = {BuildCopy(context_, flow, *source_table, *target_table)};
      plan.copies[0].head_major = false;
      plan.layers = {flow.layer};
      ExplainFlow(source, target, flow, plan, from, to);
    }
    return absl::OkStatus();
  }

  // The cursor's order is known: entries of the flow ascending, and in each its heads.
  void ExplainFlow(const ExplainedRank& source, const ExplainedRank& target,
                   const planner::Flow& flow, const PairPlan& plan, const PlainPages& from,
                   const PlainPages& to) {
    const planner::TensorSpec& tensor = context_.target().tensors[flow.target_tensor];
    const planner::SharedEntries entries(plan.sets[flow.set], request_.tokens);
    const uint64_t heads = flow.head_end - flow.head_begin;
    uint64_t place = flow.share.Of(entries.Count()).begin * heads;  // in heads of entries
    Walk(plan, from, to, [&](const CopyRun& run) {
      uint64_t left = run.length / tensor.head_bytes;
      uint64_t done = 0;
      while (left > 0) {
        const uint64_t ordinal = place / heads;
        const uint64_t head = place % heads;
        const uint64_t entry = entries.At(ordinal);
        uint64_t count = 1;  // entries of the row
        uint64_t taken = std::min(left, heads - head);
        if (taken == heads) {
          while ((count + 1) * heads <= left && entries.At(ordinal + count) == entry + count) {
            ++count;
          }
          taken = count * heads;
        }
        ExplainedRow row{source.coord, target.coord, tensor.kind, tensor.name, flow.layer};
        row.head_begin = static_cast<uint32_t>(flow.head_begin + head);
        row.head_end = static_cast<uint32_t>(row.head_begin + std::min(taken, heads - head));
        SetTokens(tensor, entry, count, &row);
        row.bytes = taken * tensor.head_bytes;
        row.source_region = run.source_region;
        row.source_offset = run.source_offset + done * tensor.head_bytes;
        row.target_region = run.target_region;
        row.target_offset = run.target_offset + done * tensor.head_bytes;
        explanation_->rows.push_back(row);
        place += taken;
        done += taken;
        left -= taken;
      }
    });
  }

  void SetTokens(const planner::TensorSpec& tensor, uint64_t entry, uint64_t count,
                 ExplainedRow* row) const {
    if (planner::IsRow(tensor.kind)) return;
    row->token_begin = entry * tensor.tokens_per_entry;
    row->token_end = std::min((entry + count) * tensor.tokens_per_entry, request_.tokens.total);
  }

  const ExplainRequest& request_;
  Explanation* explanation_;
  const PairContext context_;
};

}  // namespace

absl::StatusOr<Explanation> Explain(const ExplainRequest& request) {
  const ServerSpec& from = request.prefill.spec;
  const ServerSpec& to = request.decode.spec;
  if (auto s = CheckCompatible(from, to); !s.ok()) return s;
  Explanation explanation;
  auto sources = Ranks(request.prefill, request.tokens.total);
  if (!sources.ok()) return sources.status();
  auto targets = Ranks(request.decode, request.tokens.total);
  if (!targets.ok()) return targets.status();
  explanation.sources = *std::move(sources);
  explanation.targets = *std::move(targets);
  Explainer explainer(request, &explanation);
  for (const ExplainedRank& target : explanation.targets) {
    for (const RankCoord& source :
         SourcesOf(from, 0, to, target.coord, request.policy, request.tokens)) {
      const absl::Status status = explainer.Pair(Find(explanation.sources, source), target);
      if (!status.ok()) return status;
    }
  }
  explanation.spare = SpareSources(from, 0, to, 0, request.policy, request.tokens);
  return explanation;
}

}  // namespace baton::ctl
