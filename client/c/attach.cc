// The life of a client, and what names things: versions and codes.
#include <memory>
#include <utility>

#include "client/c/baton.h"
#include "client/c/client_handle.h"
#include "client/c/values.h"
#include "client/engine/pod_identity.h"
#include "common/reason.h"
#include "common/version.h"

namespace {

#define X(enumerator, name, code, help) \
  static_assert(BATON_E_##name == static_cast<baton_code>(baton::Reason::enumerator) + 1);
BATON_REASONS(X)
#undef X

baton::Reason ReasonOfCode(baton_code code) {
  return baton::ReasonFromNumber(static_cast<uint32_t>(code - 1));
}

}  // namespace

extern "C" {

uint32_t baton_abi_version(void) { return BATON_ABI_VERSION; }

const char* baton_version(void) { return baton::kVersionText; }

// The texts of the table of reasons are literals, each ended by a zero byte.
const char* baton_code_name(baton_code code) {
  return code == BATON_OK ? "OK" : baton::ReasonName(ReasonOfCode(code)).data();
}

const char* baton_code_help(baton_code code) {
  return code == BATON_OK ? "" : baton::ReasonHelp(ReasonOfCode(code)).data();
}

baton_code baton_code_of(const char* name) {
  const std::string text = baton::c::Text(name);
  return text == "OK" ? BATON_OK : static_cast<baton_code>(baton::ReasonFromName(text)) + 1;
}

baton_code baton_attach(const baton_options* options, baton_client** client, baton_error* error) {
  absl::StatusOr<baton::EngineOptions> given = baton::c::OptionsOf(options);
  if (!given.ok()) return baton::c::Fail(given.status(), error);
  auto engine = baton::EngineClient::Attach(*std::move(given));
  if (!engine.ok()) return baton::c::Fail(engine.status(), error);
  *client = new baton_client{*std::move(engine)};
  return BATON_OK;
}

void baton_detach(baton_client* client) { delete client; }

int32_t baton_attached(const baton_client* client) { return client->engine->attached() ? 1 : 0; }

uint64_t baton_agent_epoch(const baton_client* client) {
  return client->engine->agent_epoch().value();
}

baton_code baton_read_pod(baton_pod* pod, baton_error* error) {
  absl::StatusOr<baton::PodIdentity> read = baton::ReadPodIdentity();
  if (!read.ok()) return baton::c::Fail(read.status(), error);
  baton_pod value{};
  value.struct_size = pod->struct_size;
  value.index = read->index;
  value.pods = read->pods;
  baton::c::CopyText(read->agent_socket, value.agent_socket, sizeof(value.agent_socket));
  baton::c::CopyText(read->server, value.server, sizeof(value.server));
  baton::c::CopyText(read->launch_id, value.launch_id, sizeof(value.launch_id));
  std::memcpy(pod, &value, std::min<size_t>(pod->struct_size, sizeof(value)));
  return BATON_OK;
}

}  // extern "C"
