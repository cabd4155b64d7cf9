#include <iomanip>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "client/ctl/plan_explain_model.h"
#include "planner/kind_names.h"

namespace baton::ctl {
namespace {

using planner::Name;

std::string Sizes(const RankCoord& s) {
  return absl::StrFormat("dp %d x pp %d x cp %d x tp %d", s.dp, s.pp, s.cp, s.tp);
}

// Names come from files: everything that JSON cannot take as it is becomes \u00XX.
std::string Quoted(absl::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte < 0x20 || c == '"' || c == '\\') {
      absl::StrAppendFormat(&out, "\\u%04x", byte);
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string Quoted(const RankCoord& coord) { return Quoted(ToString(coord)); }

std::string Numbers(const std::vector<uint32_t>& numbers) {
  return absl::StrCat("[", absl::StrJoin(numbers, ","), "]");
}

// Calls fn for each, with commas between.
template <typename T, typename Fn>
void Listed(const std::vector<T>& things, std::ostream& out, Fn&& fn) {
  out << "[";
  for (size_t i = 0; i < things.size(); ++i) {
    out << (i == 0 ? "\n  " : ",\n  ");
    fn(things[i]);
  }
  out << "]";
}

void PrintServer(const ExplainedServer& server, const std::vector<ExplainedRank>& ranks,
                 std::ostream& out) {
  const planner::ServerSpec& spec = server.spec;
  const RankCoord& s = spec.sizes;
  out << "{\"sizes\":" << Numbers({s.dp, s.pp, s.cp, s.tp})
      << ",\"cp_sharding\":" << Quoted(Name(spec.cp_sharding)) << ",\n \"stages\":";
  Listed(spec.stages, out, [&](const auto& stage) { out << Numbers(stage); });
  out << ",\n \"page_groups\":";
  Listed(spec.page_groups, out, [&](const planner::PageGroup& g) {
    out << "{\"page_tokens\":" << g.page_tokens << ",\"window_tokens\":" << g.window_tokens << "}";
  });
  out << ",\n \"tensors\":";
  Listed(spec.tensors, out, [&](const planner::TensorSpec& t) {
    out << "{\"kind\":" << Quoted(Name(t.kind)) << ",\"name\":" << Quoted(t.name)
        << ",\"layers\":" << Numbers(t.layers) << ",\"page_group\":" << t.page_group
        << ",\"heads\":" << t.heads << ",\"head_bytes\":" << t.head_bytes
        << ",\"tokens_per_entry\":" << t.tokens_per_entry
        << ",\"tp_sharded\":" << (t.tp_sharded ? "true" : "false")
        << ",\"draft\":" << (t.draft ? "true" : "false")
        << ",\"last_stage\":" << (t.last_stage ? "true" : "false")
        << ",\"sub_blocks\":" << Numbers(t.sub_blocks) << "}";
  });
  out << ",\n \"ranks\":";
  Listed(ranks, out, [&](const ExplainedRank& rank) {
    out << "{\"rank\":" << Quoted(rank.coord) << ",\"region_sizes\":["
        << absl::StrJoin(rank.built.region_sizes, ",") << "],\"buffers\":";
    Listed(rank.built.layout.buffers, out, [&](const planner::BufferLayout& b) {
      out << "{\"tensor\":" << b.tensor << ",\"layer\":" << b.layer << ",\"region\":" << b.region
          << ",\"offset\":" << b.offset << ",\"pages\":" << b.pages
          << ",\"page_stride\":" << b.page_stride << ",\"entry_stride\":" << b.entry_stride
          << ",\"head_stride\":" << b.head_stride << "}";
    });
    out << "}";
  });
  out << "}";
}

void PrintRow(const ExplainedRow& r, std::ostream& out) {
  out << "{\"source\":" << Quoted(r.source) << ",\"target\":" << Quoted(r.target)
      << ",\"kind\":" << Quoted(Name(r.kind)) << ",\"name\":" << Quoted(r.name)
      << ",\"layer\":" << r.layer << ",\"heads\":[" << r.head_begin << "," << r.head_end
      << "],\"tokens\":[" << r.token_begin << "," << r.token_end << "],\"bytes\":" << r.bytes
      << ",\"source_region\":" << r.source_region << ",\"source_offset\":" << r.source_offset
      << ",\"target_region\":" << r.target_region << ",\"target_offset\":" << r.target_offset
      << "}";
}

uint64_t Total(const Explanation& explanation) {
  uint64_t bytes = 0;
  for (const ExplainedPair& pair : explanation.pairs) bytes += pair.bytes;
  return bytes;
}

}  // namespace

void PrintTable(const ExplainRequest& request, const Explanation& explanation, std::ostream& out) {
  out << "prefill " << Sizes(request.prefill.spec.sizes) << ", cp "
      << Name(request.prefill.spec.cp_sharding) << "\ndecode  " << Sizes(request.decode.spec.sizes)
      << ", cp " << Name(request.decode.spec.cp_sharding) << "\ntokens " << request.tokens.total
      << ", prefix " << request.tokens.prefix << ", tp holder " << Name(request.policy.tp_holder)
      << ", cp holder " << Name(request.policy.cp_holder) << "\n\n"
      << absl::StrFormat("%-18s %-18s %14s %7s %9s  %s\n", "SOURCE", "TARGET", "BYTES", "COPIES",
                         "RUNS", "HASH");
  for (const ExplainedPair& p : explanation.pairs) {
    out << absl::StrFormat("%-18s %-18s %14d %7d %9d  %016x\n", ToString(p.source),
                           ToString(p.target), p.bytes, p.copies, p.runs, p.hash);
  }
  out << "\n"
      << explanation.pairs.size() << " pairs, " << Total(explanation)
      << " bytes. Spare sources: " << (explanation.spare.empty() ? "none" : "");
  out << absl::StrJoin(explanation.spare, " ", [](std::string* s, const RankCoord& c) {
    absl::StrAppend(s, ToString(c));
  }) << "\n";
  if (!request.expand) return;
  out << absl::StrFormat("\n%-18s %-18s %5s %-14s %9s %17s %10s %16s %16s\n", "SOURCE", "TARGET",
                         "LAYER", "KIND", "HEADS", "TOKENS", "BYTES", "SOURCE ADDRESS",
                         "TARGET ADDRESS");
  for (const ExplainedRow& r : explanation.rows) {
    out << absl::StrFormat(
        "%-18s %-18s %5d %-14s %9s %17s %10d %16s %16s\n", ToString(r.source), ToString(r.target),
        r.layer, absl::StrCat(Name(r.kind), r.name.empty() ? "" : " ", r.name),
        absl::StrCat(r.head_begin, "-", r.head_end), absl::StrCat(r.token_begin, "-", r.token_end),
        r.bytes, absl::StrFormat("%d:%#x", r.source_region, r.source_offset),
        absl::StrFormat("%d:%#x", r.target_region, r.target_offset));
  }
}

void PrintJson(const ExplainRequest& request, const Explanation& explanation, std::ostream& out) {
  out << "{\"tokens\":" << request.tokens.total << ",\"prefix\":" << request.tokens.prefix
      << ",\"tp_holder\":" << Quoted(Name(request.policy.tp_holder))
      << ",\"cp_holder\":" << Quoted(Name(request.policy.cp_holder)) << ",\n\"prefill\":";
  PrintServer(request.prefill, explanation.sources, out);
  out << ",\n\"decode\":";
  PrintServer(request.decode, explanation.targets, out);
  out << ",\n\"pairs\":";
  Listed(explanation.pairs, out, [&](const ExplainedPair& p) {
    out << "{\"source\":" << Quoted(p.source) << ",\"target\":" << Quoted(p.target)
        << ",\"bytes\":" << p.bytes << ",\"copies\":" << p.copies << ",\"runs\":" << p.runs
        << ",\"hash\":" << Quoted(absl::StrFormat("%016x", p.hash)) << "}";
  });
  out << ",\n\"spare\":";
  Listed(explanation.spare, out, [&](const RankCoord& c) { out << Quoted(c); });
  if (request.expand) {
    out << ",\n\"rows\":";
    Listed(explanation.rows, out, [&](const ExplainedRow& row) { PrintRow(row, out); });
  }
  out << "}\n";
}

}  // namespace baton::ctl
