#include "transfer_agent/control/frame_bytes.h"

namespace baton::control {

Body EncodeBody(v1::Frame frame) {
  frame.clear_seq();
  frame.clear_ack();
  return std::make_shared<const std::string>(frame.SerializeAsString());
}

std::string EncodeNumbers(uint64_t seq, uint64_t ack) {
  v1::Frame numbers;
  numbers.set_seq(seq);
  numbers.set_ack(ack);
  return numbers.SerializeAsString();
}

const Body& HeartbeatBody() {
  static const Body* const kBody = [] {
    v1::Frame frame;
    frame.mutable_heartbeat();
    return new Body(EncodeBody(std::move(frame)));
  }();
  return *kBody;
}

}  // namespace baton::control
