#include "bootstrap_service/app/options.h"

namespace baton::registry {

void AddRows(BootstrapOptions* o, ConfigTable* table) {
  table->Text("listen", &o->listen, "host:port", "Address to serve on; port 0 takes any free one.",
              CheckHostPort);
  table->Text("port_file", &o->port_file, "path",
              "File to write host:port to, once it is served, with the port that was taken.");
  table->Number("lease_ms", &o->lease_ms, {100, 600000}, "ms",
                "A rank that is not heard of for so long is listed no more.");
  table->Choice("settle", &o->settle, {"lease", "none"},
                "How long after its start the service issues no incarnation, lest a process that "
                "was replaced before the restart replaces its successor: one lease time, or none "
                "where no service has run under this address before.");
  table->Number("drain_ms", &o->drain_ms, {0, 60000}, "ms",
                "Time for running calls to end after SIGTERM.");
  table->Number("max_servers", &o->max_servers, {1, 65536}, "servers", "Servers at one time.");
  table->Number("max_ranks", &o->max_ranks, {1, 16 << 20}, "ranks",
                "Slots of all servers together.");
  table->Number("max_spec_bytes", &o->max_spec_bytes, {4096, uint64_t{1} << 32}, "bytes",
                "Specs of all servers together; a few KiB each is usual. All that the service "
                "holds is a small multiple of it.");
  table->Number("max_bindings", &o->max_bindings, {1, 64 << 20}, "rooms",
                "Rooms bound to a dp rank at one time.");
  table->Number("max_waiting_lookups", &o->max_waiting_lookups, {1, 16 << 20}, "rooms",
                "Rooms that lookups wait for at one time.");
  table->Number("max_watchers", &o->max_watchers, {1, 1 << 20}, "watchers",
                "Watch streams at one time.");
  table->Number("max_message_bytes", &o->max_message_bytes, {4096, 64 << 20}, "bytes",
                "Largest request.");
  table->Number("max_watch_queue_bytes", &o->max_watch_queue_bytes, {1024, uint64_t{1} << 32},
                "bytes", "What waits for a watcher that does not read, before it is dropped.");
  table->Number("changes_kept", &o->changes_kept, {16, 16 << 20}, "changes",
                "Changes that a watcher may have missed and still resume.");
  admin::AddRows(&o->admin, table);
}

Limits LimitsOf(const BootstrapOptions& o) {
  Limits limits;
  limits.lease = std::chrono::milliseconds(o.lease_ms);
  limits.settle = o.settle == "none" ? Duration::zero() : limits.lease;
  limits.servers = o.max_servers;
  limits.remembered_names = 2 * o.max_servers;
  limits.ranks = o.max_ranks;
  limits.spec_bytes = o.max_spec_bytes;
  limits.bindings = o.max_bindings;
  limits.waiting_lookups = o.max_waiting_lookups;
  limits.changes = o.changes_kept;
  return limits;
}

}  // namespace baton::registry
