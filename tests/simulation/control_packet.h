// One frame on a simulated control stream.
#ifndef BATON_TESTS_SIMULATION_CONTROL_PACKET_H_
#define BATON_TESTS_SIMULATION_CONTROL_PACKET_H_

#include <cstdint>

#include "tests/simulation/control_links.h"

namespace baton::sim {

struct ControlLinks::Packet {
  uint64_t seq = 0;
  uint64_t ack = 0;
  control::Body body;  // shared with the session's queue, as a write in flight does

  bool heartbeat() const { return body == control::HeartbeatBody(); }
  v1::Frame Parse() const {
    v1::Frame frame;
    frame.ParseFromString(*body);
    frame.set_seq(seq);
    frame.set_ack(ack);
    return frame;
  }
};

}  // namespace baton::sim

#endif  // BATON_TESTS_SIMULATION_CONTROL_PACKET_H_
