// Draws requests, sends their legs to the engines, and says which of them nobody disturbed.
#ifndef BATON_TESTS_SIMULATION_ROUTER_H_
#define BATON_TESTS_SIMULATION_ROUTER_H_

#include <memory>
#include <vector>

#include "tests/simulation/cluster.h"
#include "tests/simulation/faults.h"

namespace baton::sim {

class Router {
 public:
  Router(Cluster* cluster, Checker* checker) : cluster_(cluster), checker_(checker) {}

  // One request, now.
  void Send();
  // Between all pairs of servers, with nothing wrong: each must succeed.
  void SendProbes();
  void CheckProbes();
  // Requests that a fault of the past touched are excused.
  void NoteDisturbed(const std::vector<Disturbance>& disturbances);
  // These processes die now.
  void OnDeath(const std::vector<const Process*>& dead);
  const std::vector<std::unique_ptr<Request>>& requests() const { return requests_; }

 private:
  Request* Draw(size_t prefill, size_t decode);
  void NoteReuse(Request* request);
  void AddLegs(Request* request);
  void DrawQuirk(Request* request);
  void Begin(Request* request);
  std::vector<size_t> ServersOf(Role role);
  Engine* EngineOf(const Leg& leg);
  bool AllReady(const Request& request);
  bool RailIsLeft(const Disturbance& lost, const std::vector<Disturbance>& others) const;
  bool Touches(const Disturbance& disturbance, const Request& request) const;

  Cluster* const cluster_;
  Checker* const checker_;
  std::vector<std::unique_ptr<Request>> requests_;
  std::vector<Request*> probes_;
};

}  // namespace baton::sim

#endif  // BATON_TESTS_SIMULATION_ROUTER_H_
