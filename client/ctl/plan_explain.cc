#include "client/ctl/plan_explain.h"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "baton/v1/topology.pb.h"
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
  const v1::PoolStyle& pool = topology.pool();
  server.style.page_style = static_cast<planner::PageStyle>(std::max<int>(pool.page_style(), 1));
  server.style.mix_style = static_cast<planner::MixStyle>(std::max<int>(pool.mix_style(), 1));
  server.style.region_style =
      static_cast<planner::RegionStyle>(std::max<int>(pool.region_style(), 1));
  return server;
}

struct Words {
  std::string prefill;
  std::string decode;
  std::string output = "table";
  uint64_t tokens = 4096;
  uint64_t prefix = 0;
  std::string tp_holder = "one";
  std::string cp_holder = "one";
  bool expand = false;
};

absl::Status SetWord(const std::string& flag, const std::string& value, Words* words) {
  if (flag == "--prefill") {
    words->prefill = value;
  } else if (flag == "--decode") {
    words->decode = value;
  } else if (flag == "-o" || flag == "--output") {
    words->output = value;
    if (value != "table" && value != "json") return Bad("-o: want table or json");
  } else if (flag == "--tokens" || flag == "--prefix") {
    uint64_t* number = flag == "--tokens" ? &words->tokens : &words->prefix;
    if (!absl::SimpleAtoi(value, number) || *number > (1 << 24)) {
      return Bad(absl::StrCat(flag, ": want a number up to 2^24, not '", value, "'"));
    }
  } else if (flag == "--tp-holder" || flag == "--cp-holder") {
    (flag == "--tp-holder" ? words->tp_holder : words->cp_holder) = value;
    if (value != "one" && value != "spread") return Bad(flag + ": want one or spread");
  } else {
    return Bad(absl::StrCat("plan explain: unknown word '", flag, "'"));
  }
  return absl::OkStatus();
}

absl::StatusOr<Words> ReadWords(const std::vector<std::string>& args) {
  Words words;
  for (size_t i = 0; i < args.size(); ++i) {
    if (args[i] == "--expand") {
      words.expand = true;
      continue;
    }
    const size_t equals = args[i].find('=');
    std::string flag = args[i].substr(0, equals);
    std::string value;
    if (equals != std::string::npos) {
      value = args[i].substr(equals + 1);
    } else if (i + 1 < args.size()) {
      value = args[++i];
    } else {
      return Bad(absl::StrCat("plan explain: '", flag, "' wants a value"));
    }
    if (auto s = SetWord(flag, value, &words); !s.ok()) return s;
  }
  if (words.prefill.empty() || words.decode.empty()) {
    return Bad("plan explain: want --prefill FILE and --decode FILE");
  }
  if (words.prefix > words.tokens) return Bad("--prefix: larger than --tokens");
  return words;
}

HolderPolicy Holder(const std::string& word) {
  return word == "spread" ? HolderPolicy::kSpread : HolderPolicy::kOne;
}

}  // namespace

absl::Status RunPlanExplain(const std::vector<std::string>& args, std::ostream& out) {
  const auto words = ReadWords(args);
  if (!words.ok()) return words.status();
  auto prefill = ReadTopology("--prefill", words->prefill);
  if (!prefill.ok()) return prefill.status();
  auto decode = ReadTopology("--decode", words->decode);
  if (!decode.ok()) return decode.status();
  ExplainRequest request;
  request.prefill = *std::move(prefill);
  request.decode = *std::move(decode);
  request.policy = {Holder(words->tp_holder), Holder(words->cp_holder)};
  request.tokens = {words->tokens, words->prefix};
  request.expand = words->expand;
  const auto explanation = Explain(request);
  if (!explanation.ok()) return explanation.status();
  if (words->output == "json") {
    PrintJson(request, *explanation, out);
  } else {
    PrintTable(request, *explanation, out);
  }
  return absl::OkStatus();
}

}  // namespace baton::ctl
