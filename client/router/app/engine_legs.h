// Both legs of one try on the wire at once, by libcurl, on the thread that waits for them.
//
//   EngineLegs legs(bodies, {"/v1/completions"}, limits);
//   while (!legs.decode().ended) {
//     legs.Wait(client_socket, std::chrono::milliseconds(200));
//     Use(std::exchange(legs.decode().bytes, ""));
//   }
//
// Its end closes both connections, which tells the engines that nobody waits for them any more.
// Thread-compatible.
#ifndef BATON_CLIENT_ROUTER_APP_ENGINE_LEGS_H_
#define BATON_CLIENT_ROUTER_APP_ENGINE_LEGS_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "client/router/app/legs.h"

namespace baton::proxy {

struct EngineLimits {
  std::chrono::milliseconds connect;
  std::chrono::seconds silence;
  // That nobody has taken yet.
  uint64_t answer_bytes;
};

// What both engines get as the client sent it.
struct PassedOn {
  std::string path;
  std::string authorization;  // empty: the client sent none
};

struct LegAnswer {
  int status = 0;     // 0: nothing came yet
  std::string type;   // with the status
  std::string bytes;  // of the body, without framing; whoever uses them takes them away
  bool ended = false;
  std::string failure;  // why it ended early; empty when the answer is whole
};

class EngineLegs {
 public:
  // Connects and sends as Wait is called. `bodies` outlives it.
  EngineLegs(const LegBodies& bodies, const PassedOn& passed, const EngineLimits& limits);
  ~EngineLegs();
  EngineLegs(const EngineLegs&) = delete;
  EngineLegs& operator=(const EngineLegs&) = delete;

  // Until an engine has said something, the socket `client` can be read, or the time is over.
  // Returns whether the socket can be read: a client has no more to say, so that it most likely has
  // gone.
  bool Wait(int client, std::chrono::milliseconds wait);

  LegAnswer& prefill();
  LegAnswer& decode();

 private:
  struct Wire;
  const std::unique_ptr<Wire> wire_;
};

}  // namespace baton::proxy

#endif  // BATON_CLIENT_ROUTER_APP_ENGINE_LEGS_H_
