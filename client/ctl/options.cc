#include "client/ctl/options.h"

namespace baton::ctl {

void AddCommonRows(Options* options, ConfigTable* table) {
  table->Choice("output", &options->output, {"table", "wide", "json"},
                "Form of the answer; -o for short. wide has more columns. json is a message of "
                "proto/baton/v1 as protobuf's JSON, for programs.");
  table->Text("bootstrap", &options->bootstrap, "host:port",
              "Address of the bootstrap service, for server, rank and route verbs.", CheckHostPort);
  table->Text("service_socket", &options->service_socket, "path",
              "Unix socket of the agent's own service, for agent and room verbs.", CheckNotEmpty);
  table->Text("agent", &options->agent, "host:port",
              "In place of --service_socket: the control address of an agent elsewhere, as rank "
              "list shows it. It may be looked at, not changed.",
              [](absl::string_view text) { return text.empty() ? "" : CheckHostPort(text); });
  table->Number("timeout_ms", &options->timeout_ms, {1, 600000}, "ms",
                "How long a call may take. A watch may take this long to begin.");
}

}  // namespace baton::ctl
