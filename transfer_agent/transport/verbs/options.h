// Settings of the verbs transport.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_OPTIONS_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_OPTIONS_H_

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "common/clock.h"

namespace baton::transport::verbs {

// What the operator asks for by name; empty or -1 leaves the choice to the transport.
struct Wishes {
  // "mlx5_0" or "mlx5_0/1" (port).
  std::vector<std::string> devices;
  int gid_index = -1;
  uint32_t rails_max = 4;
  // Where the ranks' memory is: a PCI path as in PortListing, or a NUMA node.
  std::string near_pci_path;
  int near_numa_node = -1;
};

struct VerbsOptions {
  Wishes wishes;
  uint32_t send_queue = 512;
  // Immediates that a source may have under way on one queue pair.
  uint32_t receive_queue = 256;
  uint32_t completion_queue = 65536;
  uint32_t gather_max = 16;
  // Bytes of one work request, and of all that are posted on a queue pair and not acknowledged: a
  // fence cannot take them back.
  uint32_t write_bytes_max = 1 << 20;
  uint64_t posted_bytes_max = 16 << 20;
  uint32_t inline_bytes_max = 64;
  uint32_t queue_pairs_per_rail = 1;
  // Peers write to pools through memory windows of their channel (channel_windows.h): a device that
  // has none of type 2 is refused.
  bool memory_windows = false;
  // Exponent: 4.096 us * 2^n without an acknowledgement, then the next of the retries.
  uint8_t ack_timeout = 14;
  // Below 7: soft-RoCE of Linux 6.1 takes 7 for no limit.
  uint8_t retry_count = 6;
  uint8_t rnr_retry = 6;
  uint8_t traffic_class = 0;
  uint8_t service_level = 0;
  // From Open or Accept to OnChannelUp.
  Duration handshake_timeout = std::chrono::seconds(10);
  // How long a fence waits for the source's answer before the channel is destroyed.
  Duration fence_timeout = std::chrono::seconds(1);
  // How long a channel that is closed may take to drain and to say so, and how long the keys of one
  // whose fence was not answered may take to become invalid.
  Duration leave_timeout = std::chrono::milliseconds(300);
  // An idle channel is tried this often, so that a peer that vanished is noticed.
  Duration probe_interval = std::chrono::seconds(2);
  // A port that is down for this long fails the channels that send over it, where another is up.
  Duration port_grace = std::chrono::milliseconds(500);
  // Open at once, of one worker; the one that was not used for longest gives way.
  uint32_t channels_max = 4096;
  // How long a queue pair that was fenced stays in reset, above the retry horizon.
  Duration reset_margin = std::chrono::milliseconds(100);

  // No packet of a sender with these settings is under way any longer than this. Devices wait up to
  // four times the nominal time for an acknowledgement.
  Duration retry_horizon() const {
    const auto once = std::chrono::nanoseconds(4096ll << ack_timeout);
    return 4 * once * (retry_count + 1) + reset_margin;
  }
};

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_OPTIONS_H_
