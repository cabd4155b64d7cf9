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
  uint32_t timeout_ms = 5000;
  // server list
  std::string role = "any";
  std::string model;
  // server watch
  bool once = false;
  // room list
  bool failed = false;
  uint32_t limit = 0;
  // room abort
  std::string rank;
  std::string why;
};

// Rows that every verb has. `options` outlives the table.
void AddCommonRows(Options* options, ConfigTable* table);

}  // namespace baton::ctl

#endif  // BATON_CLIENT_CTL_OPTIONS_H_
