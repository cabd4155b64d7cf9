#include "client/router/app/legs.h"

#include <cstdint>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::proxy {
namespace {

std::string LabelOf(const v1::ServerRecord& server, const char* name) {
  auto found = server.labels().find(name);
  return found == server.labels().end() ? "" : found->second;
}

absl::Status Lacks(const v1::ServerRecord& server, absl::string_view label) {
  return Error(Reason::kConfig, absl::StrCat("server ", server.name(), " lacks the label \"", label,
                                             "\", which its engine's adapter sets: see "
                                             "batonctl server describe ",
                                             server.name()));
}

absl::Status SplitAddress(const std::string& address, std::string* host, uint32_t* port) {
  const size_t colon = address.rfind(':');
  if (colon == std::string::npos || !absl::SimpleAtoi(address.substr(colon + 1), port)) {
    return absl::InvalidArgumentError("no host:port");
  }
  *host = address.substr(0, colon);
  return absl::OkStatus();
}

std::pair<Json, Json> VllmLegs(const Asked& asked, const Route& route) {
  // The prefill computes the prompt; the token that it samples is thrown away.
  Json prefill = asked.body;
  prefill["stream"] = false;
  prefill["max_tokens"] = 1;
  for (const char* field :
       {"stream_options", "max_completion_tokens", "min_tokens", "n", "best_of"}) {
    prefill.erase(field);
  }
  const Json room = {{"room", route.room.id}, {"nonce", route.room.nonce}};
  Json send = room;
  send["side"] = "send";
  send["decode_server"] = route.decode.server->name();
  prefill["kv_transfer_params"] = {{"baton", std::move(send)}};
  Json receive = room;
  receive["side"] = "receive";
  receive["prefill_server"] = route.prefill.server->name();
  receive["prefill_dp"] = route.prefill.dp;
  Json decode = asked.body;
  decode["kv_transfer_params"] = {{"baton", std::move(receive)}};
  return {std::move(prefill), std::move(decode)};
}

// SGLang's requests have no nonce; both legs are the same request.
absl::StatusOr<std::pair<Json, Json>> SglangLegs(const Asked& asked, const Route& route) {
  std::string host;
  uint32_t port = 0;
  const v1::ServerRecord& server = *route.prefill.server;
  if (!SplitAddress(LabelOf(server, "bootstrap"), &host, &port).ok()) {
    return Lacks(server, "bootstrap");
  }
  Json decode = asked.body;
  decode["bootstrap_host"] = host;
  decode["bootstrap_port"] = port;
  decode["bootstrap_room"] = route.room.id;
  Json prefill = decode;
  prefill["stream"] = false;
  return std::pair<Json, Json>(std::move(prefill), std::move(decode));
}

}  // namespace

absl::StatusOr<LegBodies> LegsOf(const Asked& asked, const Route& route) {
  LegBodies legs;
  for (auto [leg, made] :
       {std::pair(&route.prefill, &legs.prefill), std::pair(&route.decode, &legs.decode)}) {
    made->server = leg->server->name();
    made->http = LabelOf(*leg->server, "http");
    if (made->http.empty()) return Lacks(*leg->server, "http");
  }
  const std::string engine = LabelOf(*route.prefill.server, "engine");
  absl::StatusOr<std::pair<Json, Json>> bodies;
  if (engine == "vllm") {
    bodies = VllmLegs(asked, route);
  } else if (engine == "sglang") {
    bodies = SglangLegs(asked, route);
  } else if (engine.empty()) {
    bodies = Lacks(*route.prefill.server, "engine");
  } else {
    bodies = Error(Reason::kConfig,
                   absl::StrCat("server ", legs.prefill.server, " says that its engine is \"",
                                engine, "\"; this router speaks to vllm and sglang"));
  }
  if (!bodies.ok()) return bodies.status();
  legs.prefill.body = Write(bodies->first);
  legs.decode.body = Write(bodies->second);
  return legs;
}

}  // namespace baton::proxy
