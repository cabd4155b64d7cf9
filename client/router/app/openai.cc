#include "client/router/app/openai.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace baton::proxy {
namespace {

constexpr size_t kPrefixBytes = 1024;

bool LiesTooDeep(absl::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > kDepthMax) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

absl::Status Bad(absl::string_view words) { return absl::InvalidArgumentError(words); }

// The beginning of the prompt, in whatever form it came.
std::string PrefixOf(const Json& body) {
  for (const char* name : {"prompt", "messages", "input_ids", "text"}) {
    auto found = body.find(name);
    if (found == body.end()) continue;
    // A string need not be copied whole.
    if (const auto* text = found->get_ptr<const std::string*>()) {
      return text->substr(0, kPrefixBytes);
    }
    return Write(*found).substr(0, kPrefixBytes);
  }
  return "";
}

Json ErrorOf(int status, absl::string_view words) {
  const char* type = status < 500 ? "invalid_request_error" : "server_error";
  return {{"error", {{"message", std::string(words)}, {"type", type}, {"code", status}}}};
}

}  // namespace

Json ParseJson(absl::string_view text) {
  if (LiesTooDeep(text)) return nullptr;
  Json parsed = Json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  return parsed.is_discarded() ? Json(nullptr) : parsed;
}

std::string Write(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

absl::StatusOr<Asked> ParseRequest(absl::string_view body) {
  if (LiesTooDeep(body)) {
    return Bad(absl::StrCat("the body is nested deeper than ", kDepthMax, " levels"));
  }
  Asked asked;
  asked.body = ParseJson(body);
  if (asked.body.is_null()) return Bad("the body is no JSON");
  if (!asked.body.is_object()) return Bad("the body must be a JSON object");
  auto model = asked.body.find("model");
  if (model != asked.body.end() && !model->is_null()) {
    if (!model->is_string()) return Bad("\"model\" must be the name of a model");
    asked.model = *model->get_ptr<const std::string*>();
  }
  auto stream = asked.body.find("stream");
  if (stream != asked.body.end() && !stream->is_null()) {
    if (!stream->is_boolean()) return Bad("\"stream\" must be true or false");
    asked.stream = *stream->get_ptr<const bool*>();
  }
  asked.prefix_key = PrefixOf(asked.body);
  return asked;
}

std::string ErrorBody(int status, absl::string_view words) { return Write(ErrorOf(status, words)); }

std::string ErrorEvent(int status, absl::string_view words) {
  return absl::StrCat("data: ", ErrorBody(status, words), "\n\n");
}

std::string ModelsBody(const std::set<std::string>& models) {
  Json list = Json::array();
  for (const std::string& model : models) list.push_back({{"id", model}, {"object", "model"}});
  return Write({{"object", "list"}, {"data", std::move(list)}});
}

}  // namespace baton::proxy
