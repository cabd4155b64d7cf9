#include "tests/demo/workload/trace.h"

#include <google/protobuf/util/json_util.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/reason.h"
#include "demo/v1/trace.pb.h"

namespace baton::demo {
namespace {

// The JSON library's explanations run over several lines, with a drawing.
std::string FirstLine(absl::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

std::string CheckField(absl::string_view name, bool there, uint64_t value, uint64_t min,
                       uint64_t max) {
  if (!there) return absl::StrCat(name, " is missing");
  if (value >= min && value <= max) return "";
  return absl::StrCat(name, " is ", value, ", must be ", min, " to ", max);
}

std::string CheckLine(const v1::TraceLine& line) {
  constexpr uint64_t kTimeMax = uint64_t{366} * 24 * 3600 * 1000;
  std::string wrong = CheckField("timestamp", line.has_timestamp(), line.timestamp(), 0, kTimeMax);
  if (!wrong.empty()) return wrong;
  wrong =
      CheckField("input_length", line.has_input_length(), line.input_length(), 1, kInputTokensMax);
  if (!wrong.empty()) return wrong;
  wrong = CheckField("output_length", line.has_output_length(), line.output_length(), 0,
                     kInputTokensMax);
  if (!wrong.empty()) return wrong;
  const uint64_t blocks_max = line.input_length() / kBlockTokens + 1;
  return CheckField("the count of hash_ids", true, line.hash_ids_size(), 0, blocks_max);
}

// Empty, or what is wrong.
std::string ParseLine(absl::string_view text, Request* request) {
  if (text.size() > kTraceLineMax) {
    return absl::StrCat("the line has ", text.size(), " bytes, at most ", kTraceLineMax);
  }
  if (text.front() != '{') return "not a JSON object";
  v1::TraceLine line;
  google::protobuf::util::JsonParseOptions options;
  options.ignore_unknown_fields = true;
  auto status = google::protobuf::util::JsonStringToMessage(
      google::protobuf::StringPiece(text.data(), text.size()), &line, options);
  if (!status.ok()) {
    return absl::StrCat("not a request in JSON: ", FirstLine(status.message().ToString()));
  }
  std::string wrong = CheckLine(line);
  if (!wrong.empty()) return wrong;
  *request = {line.timestamp(),
              line.input_length(),
              line.output_length(),
              {line.hash_ids().begin(), line.hash_ids().end()}};
  return "";
}

absl::Status BadLine(absl::string_view name, uint64_t number, absl::string_view wrong) {
  return Error(Reason::kConfig, absl::StrCat(name, ":", number, ": ", wrong));
}

}  // namespace

absl::StatusOr<std::vector<Request>> ParseTrace(absl::string_view text, absl::string_view name) {
  std::vector<Request> requests;
  uint64_t number = 0;
  for (absl::string_view line : absl::StrSplit(text, '\n')) {
    ++number;
    line = absl::StripAsciiWhitespace(line);
    if (line.empty()) continue;
    if (requests.size() == kTraceRequestsMax) {
      return BadLine(name, number, absl::StrCat("more than ", kTraceRequestsMax, " requests"));
    }
    Request request;
    std::string wrong = ParseLine(line, &request);
    if (!wrong.empty()) return BadLine(name, number, wrong);
    requests.push_back(std::move(request));
  }
  if (requests.empty()) return Error(Reason::kConfig, absl::StrCat(name, ": no requests"));
  return requests;
}

absl::StatusOr<std::vector<Request>> ReadTrace(const std::string& path) {
  std::ifstream file(path);
  if (!file) return SystemError(absl::StrCat("--trace: cannot open ", path), errno);
  std::stringstream text;
  text << file.rdbuf();
  // A directory opens but cannot be read.
  if (file.bad() || text.fail()) {
    return Error(Reason::kConfig, absl::StrCat("--trace: cannot read ", path));
  }
  return ParseTrace(text.str(), path);
}

}  // namespace baton::demo
