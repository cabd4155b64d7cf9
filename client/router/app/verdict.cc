#include "client/router/app/verdict.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "client/router/app/openai.h"

namespace baton::proxy {
namespace {

constexpr size_t kBriefBytes = 300;

std::string Cut(absl::string_view text) {
  std::string line(absl::StripAsciiWhitespace(text.substr(0, kBriefBytes)));
  std::replace_if(
      line.begin(), line.end(), [](unsigned char c) { return absl::ascii_iscntrl(c); }, ' ');
  return line;
}

// What an engine puts where a reason to finish belongs when the hand-off failed.
bool IsFailure(const Json& choice) {
  auto reason = choice.find("finish_reason");
  return reason != choice.end() && (*reason == "error" || *reason == "abort");
}

bool IsEmptyText(const Json& value) {
  return value.is_string() && value.get_ref<const std::string&>().empty();
}

// A chat's first event names a role and has no content yet.
bool HasContent(const Json& choice) {
  auto reason = choice.find("finish_reason");
  if (reason != choice.end() && !reason->is_null()) return true;
  auto text = choice.find("text");
  if (text != choice.end()) return !IsEmptyText(*text);
  auto delta = choice.find("delta");
  if (delta == choice.end() || !delta->is_object()) return true;
  for (const auto& [name, value] : delta->items()) {
    if (name != "role" && !value.is_null() && !IsEmptyText(value) && !value.empty()) return true;
  }
  return false;
}

// What of an answer, or of an event, speaks of failure; empty: nothing.
std::string FailureIn(const Json& said) {
  if (!said.is_object()) return "";
  auto error = said.find("error");
  if (error != said.end() && !error->is_null()) {
    auto message = error->is_object() ? error->find("message") : error->end();
    const bool plain = error->is_object() && message != error->end() && message->is_string();
    return Cut(plain ? *message->get_ptr<const std::string*>() : Write(*error));
  }
  auto choices = said.find("choices");
  if (choices == said.end() || !choices->is_array()) return "";
  for (const Json& choice : *choices) {
    if (choice.is_object() && IsFailure(choice)) {
      return absl::StrCat("finished with ", Write(choice["finish_reason"]),
                          "; the engine's log says why");
    }
  }
  return "";
}

bool SaysSomething(const Json& said) {
  if (!said.is_object()) return true;
  auto choices = said.find("choices");
  if (choices == said.end() || !choices->is_array()) return true;
  return std::any_of(choices->begin(), choices->end(),
                     [](const Json& choice) { return !choice.is_object() || HasContent(choice); });
}

}  // namespace

std::string Brief(int status, absl::string_view body) {
  return absl::StrCat("HTTP ", status, ": ", Cut(body));
}

void Judge::OnHead(int status) { status_ = status; }

Judge::Verdict Judge::OnBody(absl::string_view bytes) {
  absl::StrAppend(&held_, bytes);
  if (!passes_pieces()) return Verdict::kWait;
  while (true) {
    size_t end = held_.find("\n\n", judged_);
    size_t gap = 2;
    const size_t other = held_.find("\r\n\r\n", judged_);
    if (other < end) {
      end = other;
      gap = 4;
    }
    if (end == std::string::npos) break;
    const Verdict verdict = JudgeEvent(absl::string_view(held_).substr(judged_, end - judged_));
    if (verdict != Verdict::kWait) return verdict;
    judged_ = end + gap;
  }
  return held_.size() > kHeldMax ? Verdict::kPass : Verdict::kWait;
}

Judge::Verdict Judge::OnEnd() {
  if (!passes_pieces()) return JudgeWhole();
  const absl::string_view rest = absl::string_view(held_).substr(judged_);
  // Some answer a stream's request with one object.
  if (!absl::StripAsciiWhitespace(rest).empty()) {
    const Verdict verdict = JudgeEvent(rest);
    if (verdict == Verdict::kFailed) return verdict;
  }
  return held_.empty() ? Fail("an empty answer") : Verdict::kPass;
}

Judge::Verdict Judge::JudgeWhole() {
  // 429: this one is busy.
  if (status_ >= 500 || status_ == 429) return Fail(Brief(status_, held_));
  if (status_ >= 400) return Verdict::kPass;
  std::string failure = FailureIn(ParseJson(held_));
  return failure.empty() ? Verdict::kPass : Fail(std::move(failure));
}

Judge::Verdict Judge::JudgeEvent(absl::string_view event) {
  event = absl::StripAsciiWhitespace(event);
  if (event.empty() || event[0] == ':') return Verdict::kWait;  // a comment keeps it alive
  absl::ConsumePrefix(&event, "data:");
  event = absl::StripAsciiWhitespace(event);
  if (event == "[DONE]") return Verdict::kPass;
  const Json said = ParseJson(event);
  std::string failure = FailureIn(said);
  if (!failure.empty()) return Fail(std::move(failure));
  return SaysSomething(said) ? Verdict::kPass : Verdict::kWait;
}

Judge::Verdict Judge::Fail(std::string why) {
  why_ = std::move(why);
  return Verdict::kFailed;
}

}  // namespace baton::proxy
