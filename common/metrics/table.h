// Every metric of the programs, once: the scrape, its test and docs/metrics.md come from these
// rows.
//
// Names: one prefix, base units (seconds, bytes), the unit as suffix, `_total` for what only grows.
// A label's values come from a small fixed set: never an id, an address or a name, but that of a
// device's port ("mlx5_0/1").
#ifndef BATON_COMMON_METRICS_TABLE_H_
#define BATON_COMMON_METRICS_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace baton::metrics {

enum class Kind : uint8_t { kCounter, kGauge, kHistogram };
enum class Program : uint8_t { kAll, kAgent, kBootstrap, kRouter };

// X(enumerator, name, kind, program, labels, help). Order is the order of the scrape.
#define BATON_METRICS(X)                                                                           \
  X(kBuildInfo, "baton_build_info", kGauge, kAll, "program,version", "Always 1.")                  \
  X(kReady, "baton_ready", kGauge, kAll, "",                                                       \
    "1 while the program takes new work, as its readiness probe says; otherwise 0.")               \
  X(kLogLines, "baton_log_lines_total", kCounter, kAll, "severity",                                \
    "Lines logged, those that a flood kept back included.")                                        \
  X(kLogLinesKeptBack, "baton_log_lines_kept_back_total", kCounter, kAll, "",                      \
    "Lines that a flood kept out of the log, where their number is said.")                         \
  X(kLogLinesLost, "baton_log_lines_lost_total", kCounter, kAll, "",                               \
    "Lines that could not be written because nobody read the log fast enough.")                    \
  X(kTransfers, "baton_transfers_total", kCounter, kAgent, "role,outcome,reason",                  \
    "Rooms of this agent's ranks that ended: done, or failed with the reason that "                \
    "docs/errors.md explains.")                                                                    \
  X(kRefusedOpens, "baton_refused_opens_total", kCounter, kAgent, "role,reason",                   \
    "Rooms that an engine asked for and did not get. They count as no transfer.")                  \
  X(kTransferDuration, "baton_transfer_duration_seconds", kHistogram, kAgent, "role",              \
    "From the opening of a room to its end, of rooms that were done.")                             \
  X(kStageDuration, "baton_stage_duration_seconds", kHistogram, kAgent, "stage",                   \
    "Stages of a room. offer (decode): from its opening to its offers being out. match "           \
    "(prefill): until engine and offers have both come. connect (prefill): from asking for a "     \
    "channel to having it. post (prefill): from the match to all bytes being handed to the "       \
    "transport. land (decode): from the offers to all bytes being in memory.")                     \
  X(kTransferBytes, "baton_transfer_bytes_total", kCounter, kAgent, "direction,transport",         \
    "Bytes of pages sent and landed, by the path they took.")                                      \
  X(kCopiedBytes, "baton_copied_bytes_total", kCounter, kAgent, "transport",                       \
    "Bytes copied by this process, counted at the copy calls; none with verbs.")                   \
  X(kStaleCompletions, "baton_stale_completions_total", kCounter, kAgent, "transport",             \
    "Frames and immediates of rooms that had ended, dropped.")                                     \
  X(kOpenRooms, "baton_open_rooms", kGauge, kAgent, "role",                                        \
    "Rooms that have not ended, or whose engine still holds them.")                                \
  X(kHeldOffers, "baton_held_offers", kGauge, kAgent, "",                                          \
    "Rooms that targets have offered pages for and that no engine here has opened yet; they are "  \
    "no open rooms. Many for long: a decode server whose prefill requests do not come.")           \
  X(kHeldOfferBytes, "baton_held_offer_bytes", kGauge, kAgent, "",                                 \
    "Memory that they take; bounded, in all and for each peer.")                                   \
  X(kRoomBindings, "baton_room_bindings", kGauge, kAgent, "",                                      \
    "Rooms whose dp rank this agent tells the bootstrap service, until they are over.")            \
  X(kRoomLookups, "baton_room_lookups", kGauge, kAgent, "",                                        \
    "Rooms here whose dp rank is not known yet: the bootstrap service is asked.")                  \
  X(kHostedRanks, "baton_hosted_ranks", kGauge, kAgent, "role,state",                              \
    "Ranks attached: serving, or waiting for their registration or lease and taking no new room.") \
  X(kRegisteredMemory, "baton_registered_memory_bytes", kGauge, kAgent, "",                        \
    "Pools of the ranks attached.")                                                                \
  X(kTransportOn, "baton_transport_on", kGauge, kAgent, "transport",                               \
    "1 for each transport that works here; 0 for one that was tried and does not.")                \
  X(kPeerPaths, "baton_peer_paths", kGauge, kAgent, "transport",                                   \
    "Peers of each worker by the path their pages take. tcp where verbs was meant shows here.")    \
  X(kChannels, "baton_channels", kGauge, kAgent, "transport",                                      \
    "Channels to peers that ranks here opened as sources.")                                        \
  X(kChannelFailures, "baton_channel_failures_total", kCounter, kAgent, "transport",               \
    "Channels that ended with a cause.")                                                           \
  X(kPortActive, "baton_port_active", kGauge, kAgent, "port",                                      \
    "1 for each RDMA port in use that is up, works and has an address; otherwise 0.")              \
  X(kPortSentBytes, "baton_port_sent_bytes_total", kCounter, kAgent, "port",                       \
    "Bytes of pages that RDMA writes from this port have taken to targets: shows how rooms "       \
    "spread over rails.")                                                                          \
  X(kPortPauses, "baton_port_pauses_total", kCounter, kAgent, "port",                              \
    "Times that the port failed and was left out of new channels for a while, to one peer or "     \
    "all.")                                                                                        \
  X(kQueuePairs, "baton_queue_pairs", kGauge, kAgent, "port,state",                                \
    "Queue pairs of channels; in state reset those that keep their number until it is safe to "    \
    "use.")                                                                                        \
  X(kWorkRequests, "baton_work_requests_in_flight", kGauge, kAgent, "port",                        \
    "Sends and writes posted and not acknowledged.")                                               \
  X(kCreditWaits, "baton_credit_waits_total", kCounter, kAgent, "port",                            \
    "Parts that waited to be closed, on one queue pair, because the target had not given back a "  \
    "receive: its agent is slow.")                                                                 \
  X(kCompletionErrors, "baton_completion_errors_total", kCounter, kAgent, "port,status",           \
    "Work requests that failed, by what the device said.")                                         \
  X(kPeers, "baton_peers", kGauge, kAgent, "state", "Other agents known, by control stream.")      \
  X(kRegistrationFailures, "baton_registration_failures_total", kCounter, kAgent, "reason",        \
    "Registrations of ranks that the bootstrap service refused or did not answer.")                \
  X(kLeaseLosses, "baton_lease_losses_total", kCounter, kAgent, "",                                \
    "Leases that ended before they could be renewed.")                                             \
  X(kWorkers, "baton_workers", kGauge, kAgent, "", "Threads that serve ranks.")                    \
  X(kWorkerBusy, "baton_worker_busy_seconds_total", kCounter, kAgent, "",                          \
    "Time in which workers found something to do; its rate over baton_workers is the busy "        \
    "ratio of polling.")                                                                           \
  X(kServers, "baton_servers", kGauge, kBootstrap, "role,state", "Servers listed.")                \
  X(kRegisteredRanks, "baton_registered_ranks", kGauge, kBootstrap, "role,state",                  \
    "Ranks with a live lease, by the state of their server.")                                      \
  X(kMissingRanks, "baton_missing_ranks", kGauge, kBootstrap, "role",                              \
    "Slots of listed servers that no rank with a live lease fills.")                               \
  X(kRegistrations, "baton_registrations_total", kCounter, kBootstrap, "result",                   \
    "RegisterRank calls answered: OK, or the reason of the refusal.")                              \
  X(kLeaseExpirations, "baton_lease_expirations_total", kCounter, kBootstrap, "",                  \
    "Leases that were not renewed in time.")                                                       \
  X(kWatchers, "baton_watchers", kGauge, kBootstrap, "", "Watch streams open.")                    \
  X(kWatchLag, "baton_watch_lag_revisions", kGauge, kBootstrap, "",                                \
    "Revisions that the watchers furthest behind have not been sent yet.")                         \
  X(kWatchersDropped, "baton_watchers_dropped_total", kCounter, kBootstrap, "",                    \
    "Watchers ended because they did not read what was queued for them.")                          \
  X(kBoundRooms, "baton_bound_rooms", kGauge, kBootstrap, "", "Rooms bound to a dp rank.")         \
  X(kWaitingLookups, "baton_waiting_lookups", kGauge, kBootstrap, "",                              \
    "Rooms that lookups wait for.")                                                                \
  X(kSettled, "baton_settled", kGauge, kBootstrap, "",                                             \
    "0 for one lease time after the service's start, while it issues no incarnation.")             \
  X(kRpcDuration, "baton_rpc_duration_seconds", kHistogram, kBootstrap, "method,code",             \
    "Unary calls answered, by gRPC status; LookupRoom's waiting included.")                        \
  X(kRouterRequests, "baton_router_requests_total", kCounter, kRouter, "outcome",                  \
    "Requests that ended. answered: the engine's answer reached its client, its refusals "         \
    "included. refused: the request was wrong, or one too many. no_pair: no pair of servers was "  \
    "ready. failed: all pairs that were tried failed. broken: the answer ended in the middle. "    \
    "client_gone: nobody waits for the answer any more.")                                          \
  X(kRouterFailedLegs, "baton_router_failed_legs_total", kCounter, kRouter, "role",                \
    "Legs that failed, by the server at fault; what was tried again counts once for each try.")    \
  X(kRouterFirstByte, "baton_router_first_byte_seconds", kHistogram, kRouter, "",                  \
    "From a request's last byte to the first one of its answer, all tries included.")              \
  X(kRouterOpenRequests, "baton_router_open_requests", kGauge, kRouter, "",                        \
    "Requests that have not ended.")                                                               \
  X(kProcessCpu, "process_cpu_seconds_total", kCounter, kAll, "", "CPU time of the process.")      \
  X(kProcessMemory, "process_resident_memory_bytes", kGauge, kAll, "",                             \
    "Memory of the process, mapped pools included.")                                               \
  X(kProcessFds, "process_open_fds", kGauge, kAll, "", "File descriptors open.")                   \
  X(kProcessMaxFds, "process_max_fds", kGauge, kAll, "", "File descriptors allowed.")              \
  X(kProcessStart, "process_start_time_seconds", kGauge, kAll, "",                                 \
    "Start of the process, in Unix time.")

enum class Metric : uint8_t {
#define X(enumerator, name, kind, program, labels, help) enumerator,
  BATON_METRICS(X)
#undef X
};

struct Row {
  absl::string_view name;
  Kind kind;
  Program program;
  std::vector<absl::string_view> labels;
  absl::string_view help;
};

// In the order of Metric.
const std::vector<Row>& Rows();
inline const Row& RowOf(Metric metric) { return Rows()[static_cast<size_t>(metric)]; }

// "seconds", "bytes", "revisions", or "" for a plain number: as the name says.
absl::string_view UnitOf(const Row& row);
absl::string_view Name(Kind kind);

// docs/metrics.md.
std::string Markdown();

}  // namespace baton::metrics

#endif  // BATON_COMMON_METRICS_TABLE_H_
