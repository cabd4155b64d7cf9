#include "client/ctl/options.h"

namespace baton::ctl {

void AddCommonRows(Options* options, ConfigTable* table) {
  table->Choice("output", &options->output, {"table", "json"},
                "Form of the answer; -o for short. json is the message as protobuf's JSON.");
  table->Text("bootstrap", &options->bootstrap, "host:port",
              "Address of the bootstrap service, for server verbs.", CheckHostPort);
  table->Text("service_socket", &options->service_socket, "path",
              "Unix socket of the agent's own service, for agent and room verbs.", CheckNotEmpty);
  table->Number("timeout_ms", &options->timeout_ms, {1, 600000}, "ms",
                "How long a call may take. A watch may take this long to begin.");
}

}  // namespace baton::ctl
