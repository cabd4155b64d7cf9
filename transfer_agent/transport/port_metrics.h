// What a worker counts at one port of a device: written by its thread alone, read by the scrape
// whenever it comes. No lock, no allocation.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_PORT_METRICS_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_PORT_METRICS_H_

#include <array>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "common/metrics/counters.h"

namespace baton::transport {

// How a work request can fail.
enum class CompletionError : uint8_t {
  kRetryExceeded,
  kRnrRetryExceeded,
  kRemoteAccess,
  kRemoteRequest,
  kRemoteOperation,
  kLocalProtection,
  kLocalLength,
  kLocalOperation,
  kWindowBind,
  kFlushed,
  kDevice,
  kOther,
};
inline constexpr absl::string_view kCompletionErrorNames[] = {
    "retry_exceeded",   "rnr_retry_exceeded",
    "remote_access",    "remote_request",
    "remote_operation", "local_protection",
    "local_length",     "local_operation",
    "window_bind",      "flushed",
    "device",           "other"};
inline constexpr size_t kCompletionErrors = std::size(kCompletionErrorNames);

struct PortMetrics {
  std::string port;  // "mlx5_0/1"; set before another thread sees it
  // As of the last look at the clock, at most 5 ms before, or before the worker's sleep.
  metrics::Count active;
  metrics::Count in_flight;    // work requests posted and not acknowledged
  metrics::Count queue_pairs;  // of channels
  metrics::Count in_reset;     // queue pairs that wait for their numbers to be free
  // Since the start.
  metrics::Count sent_bytes;  // of pages, acknowledged
  metrics::Count pauses;
  metrics::Count credit_waits;
  std::array<metrics::Count, kCompletionErrors> errors;

  void CountError(CompletionError error) { errors[static_cast<size_t>(error)].Add(); }
};

}  // namespace baton::transport

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_PORT_METRICS_H_
