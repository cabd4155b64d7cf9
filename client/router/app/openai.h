// OpenAI's API as far as a router has to understand it. Pure; thread-safe.
#ifndef BATON_CLIENT_ROUTER_APP_OPENAI_H_
#define BATON_CLIENT_ROUTER_APP_OPENAI_H_

#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace baton::proxy {

using Json = nlohmann::json;

inline constexpr absl::string_view kJsonType = "application/json";

// Deeper than any request is; what writes JSON out goes down as deep as it lies.
inline constexpr int kDepthMax = 100;

struct Asked {
  Json body;  // an object
  std::string model;
  bool stream = false;
  // What requests that begin alike have in common.
  std::string prefix_key;
};

// INVALID_ARGUMENT in words for the client.
absl::StatusOr<Asked> ParseRequest(absl::string_view body);

// Null where it is no JSON, or lies too deep.
Json ParseJson(absl::string_view text);
// Whatever it holds.
std::string Write(const Json& json);

// An error as OpenAI's clients read it.
std::string ErrorBody(int status, absl::string_view words);
// The same as an event of a stream that has begun.
std::string ErrorEvent(int status, absl::string_view words);
// The answer to GET /v1/models.
std::string ModelsBody(const std::set<std::string>& models);

}  // namespace baton::proxy

#endif  // BATON_CLIENT_ROUTER_APP_OPENAI_H_
