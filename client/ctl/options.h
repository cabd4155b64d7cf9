// Settings of batonctl: those of every verb, and those of some.
#ifndef BATON_CLIENT_CTL_OPTIONS_H_
#define BATON_CLIENT_CTL_OPTIONS_H_

#include <cstdint>
#include <string>

#include "common/config/config.h"

namespace baton::ctl {

struct Options {
  // Every verb.
  std::string output = "table";
  std::string bootstrap = "127.0.0.1:7411";
  std::string service_socket = "/run/baton/agent.sock";
  std::string agent;
  uint32_t timeout_ms = 5000;
  // server list
  std::string role = "any";
  std::string model;
  // server watch, top
  bool once = false;
  // server drain
  bool undo = false;
  // rank list
  bool missing = false;
  // agent drain
  bool wait = false;
  // room list, agent dump
  bool failed = false;
  bool all = false;
  uint32_t limit = 0;
  // room trace
  bool here = false;
  // room abort
  std::string rank;
  std::string why;
  // health
  std::string service;
  // top
  uint32_t interval_ms = 1000;
  uint32_t looks = 0;
  // plan explain, route explain
  std::string prefill;
  std::string decode;
  uint32_t tokens = 4096;
  uint32_t prefix = 0;
  std::string tp_holder = "one";
  std::string cp_holder = "one";
  bool expand = false;
  // doctor, bench
  std::string transport = "auto";
  std::string verbs_devices;
  std::string verbs_gid_index;
  uint32_t verbs_rails = 4;
  // doctor
  std::string advertise;
  std::string attach_socket = "/run/baton/attach.sock";
  // bench
  std::string listen;
  std::string peer;
  uint32_t page_kib = 64;
  uint32_t pages = 256;
  uint32_t seconds = 2;
};

// Rows that every verb has. `options` outlives the table.
void AddCommonRows(Options* options, ConfigTable* table);

}  // namespace baton::ctl

#endif  // BATON_CLIENT_CTL_OPTIONS_H_
