#include "client/ctl/plan_explain.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <fstream>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "baton/v1/topology.pb.h"
#include "client/ctl/options.h"
#include "client/ctl/plan_explain_model.h"
#include "common/reason.h"
#include "planner/layout_proto.h"
#include "planner/limits.h"

namespace baton::ctl {
namespace {

using planner::HolderPolicy;

constexpr size_t kFileBytesMax = 1 << 20;

absl::Status Bad(absl::string_view what) { return Error(Reason::kConfig, what); }

// Keeps the first complaint of the parser.
class FirstError : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int line, int column, const std::string& message) override {
    if (text.empty())
      text = absl::StrCat("line ", line + 1, ", column ", column + 1, ": ", message);
  }
  std::string text;
};

// 0 is the first of each style; what protobuf takes as a number may be none of them.
template <typename Style, typename Proto>
absl::Status ReadStyle(Proto value, bool known, absl::string_view field, Style* style) {
  if (!known) {
    return Bad(absl::StrCat("pool.", field, " is ", static_cast<int>(value),
                            ", which is none of its values (proto/baton/v1/topology.proto)"));
  }
  if (value != 0) *style = static_cast<Style>(value);
  return absl::OkStatus();
}

absl::Status ReadPool(const v1::PoolStyle& pool, planner::LayoutOptions* style) {
  absl::Status status = ReadStyle(pool.page_style(), v1::PageStyle_IsValid(pool.page_style()),
                                  "page_style", &style->page_style);
  if (status.ok()) {
    status = ReadStyle(pool.mix_style(), v1::MixStyle_IsValid(pool.mix_style()), "mix_style",
                       &style->mix_style);
  }
  if (status.ok()) {
    status = ReadStyle(pool.region_style(), v1::RegionStyle_IsValid(pool.region_style()),
                       "region_style", &style->region_style);
  }
  return status;
}

absl::StatusOr<ExplainedServer> ReadTopology(absl::string_view flag, const std::string& path) {
  std::ifstream file(path);
  if (!file) return Bad(absl::StrCat(flag, ": cannot read ", path));
  std::string text(kFileBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<size_t>(file.gcount()));
  if (text.size() > kFileBytesMax) return Bad(absl::StrCat(flag, ": ", path, " is above 1 MiB"));
  v1::Topology topology;
  FirstError error;
  google::protobuf::TextFormat::Parser parser;
  parser.RecordErrorsTo(&error);
  if (!parser.ParseFromString(text, &topology)) {
    return Bad(absl::StrCat(flag, ": ", path, ", ", error.text));
  }
  auto spec = planner::FromProto(topology.spec());
  absl::Status status = spec.ok() ? planner::ValidateSpec(*spec) : spec.status();
  if (!status.ok()) return Bad(absl::StrCat(flag, ": ", path, ": ", status.message()));
  ExplainedServer server;
  server.spec = *std::move(spec);
  if (absl::Status pool = ReadPool(topology.pool(), &server.style); !pool.ok()) {
    return Bad(absl::StrCat(flag, ": ", path, ": ", pool.message()));
  }
  return server;
}

HolderPolicy Holder(const std::string& word) {
  return word == "spread" ? HolderPolicy::kSpread : HolderPolicy::kOne;
}

}  // namespace

void AddPlanRows(Options* options, ConfigTable* table) {
  table->Text("prefill", &options->prefill, "file", "Text protobuf of baton.v1.Topology.");
  table->Text("decode", &options->decode, "file", "Text protobuf of baton.v1.Topology.");
  table->Number("tokens", &options->tokens, {0, 1 << 24}, "tokens", "Tokens of the prompt.");
  table->Number("prefix", &options->prefix, {0, 1 << 24}, "tokens",
                "Tokens that the target has already.");
  table->Choice("tp_holder", &options->tp_holder, {"one", "spread"},
                "Who sends where several tp ranks hold the same bytes.");
  table->Choice("cp_holder", &options->cp_holder, {"one", "spread"},
                "Who sends where several cp ranks hold the same bytes.");
  table->Bool("expand", &options->expand,
              "Every piece, with its addresses; page i of a list is page i.");
}

absl::Status RunPlanExplain(const Options& options, std::ostream& out) {
  if (options.prefill.empty() || options.decode.empty()) {
    return Bad("plan explain: want --prefill FILE and --decode FILE");
  }
  if (options.prefix > options.tokens) return Bad("--prefix: larger than --tokens");
  auto prefill = ReadTopology("--prefill", options.prefill);
  if (!prefill.ok()) return prefill.status();
  auto decode = ReadTopology("--decode", options.decode);
  if (!decode.ok()) return decode.status();
  ExplainRequest request;
  request.prefill = *std::move(prefill);
  request.decode = *std::move(decode);
  request.policy = {Holder(options.tp_holder), Holder(options.cp_holder)};
  request.tokens = {options.tokens, options.prefix};
  request.expand = options.expand;
  const auto explanation = Explain(request);
  if (!explanation.ok()) return explanation.status();
  if (options.output == "json") {
    PrintJson(request, *explanation, out);
  } else {
    PrintTable(request, *explanation, out);
  }
  return absl::OkStatus();
}

}  // namespace baton::ctl
