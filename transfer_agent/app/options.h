// Settings of baton-agent, as one table.
#ifndef BATON_TRANSFER_AGENT_APP_OPTIONS_H_
#define BATON_TRANSFER_AGENT_APP_OPTIONS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "admin/options.h"
#include "common/config/config.h"

namespace baton::agent {

struct Options {
  std::string bootstrap;
  std::string listen = "127.0.0.1:0";
  std::string advertise;
  std::string attach_socket = "/run/baton/attach.sock";
  std::string service_socket = "/run/baton/agent.sock";
  std::string socket_mode = "0600";
  std::string port_file;
  std::string transport = "auto";
  std::string data_host;
  std::string shm_folder;
  std::string verbs_devices;
  std::string verbs_gid_index;
  std::string verbs_near = "auto";
  uint32_t verbs_rails = 4;
  uint32_t cuda_blocks = 16;
  bool verbs_windows = false;
  uint32_t workers = 0;
  uint32_t spin_us = 20;
  uint32_t heartbeat_ms = 500;
  uint32_t silence_ms = 3000;
  uint32_t drain_ms = 10000;
  uint32_t ranks_max = 64;
  uint32_t held_offers = 65536;
  uint64_t held_offer_bytes = uint64_t{256} << 20;
  bool checksums = false;
  admin::AdminOptions admin;
};

// Adds every row; `options` is borrowed.
void AddRows(Options* options, ConfigTable* table);

// What the rows cannot say one by one; fills in what depends on others. CONFIG names the flag.
absl::Status Complete(Options* options);

// Of --socket_mode, which Complete has checked.
uint32_t SocketMode(const Options& options);

}  // namespace baton::agent

#endif  // BATON_TRANSFER_AGENT_APP_OPTIONS_H_
