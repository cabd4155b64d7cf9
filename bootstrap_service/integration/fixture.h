// A real bootstrap service on port 0 with real clients, for the tests of this folder.
#ifndef BATON_BOOTSTRAP_SERVICE_INTEGRATION_FIXTURE_H_
#define BATON_BOOTSTRAP_SERVICE_INTEGRATION_FIXTURE_H_

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "baton/v1/bootstrap.grpc.pb.h"
#include "bootstrap_service/app/server.h"
#include "client/bootstrap/directory.h"
#include "client/bootstrap/registrar.h"
#include "common/clock.h"
#include "common/mutex.h"
#include "common/reason.h"
#include "tests/support/eventually.h"

namespace baton::registry {

// pp x tp ranks of a two-layer-a-stage model.
planner::ServerSpec SmallSpec(uint32_t pp, uint32_t tp);
v1::ServerSpec SmallSpecProto(uint32_t pp, uint32_t tp);

// What a registrar said, by rank.
class Heard : public RegistrarEvents {
 public:
  void OnRegistered(const RankRef& rank, Incarnation incarnation) override;
  void OnRegistrationFailing(const RankRef& rank, const absl::Status& cause, bool decides) override;
  void OnLeaseLost(const RankRef& rank) override;

  size_t registered() const;       // ranks that are now
  uint64_t registrations() const;  // times that one was
  uint64_t lost() const;           // times that a lease was
  Incarnation incarnation(const RankRef& rank) const;
  absl::Status failure(const RankRef& rank) const;

 private:
  mutable Mutex mu_;
  std::map<RankRef, Incarnation> registered_ ABSL_GUARDED_BY(mu_);
  std::map<RankRef, absl::Status> failures_ ABSL_GUARDED_BY(mu_);
  uint64_t registrations_ ABSL_GUARDED_BY(mu_) = 0;
  uint64_t lost_ ABSL_GUARDED_BY(mu_) = 0;
};

class BootstrapTest : public ::testing::Test {
 protected:
  BootstrapTest();

  // At the same address each time.
  void StartService();
  void StopService() { service_.reset(); }
  const std::string& address() const { return address_; }

  std::unique_ptr<Registrar> NewRegistrar(uint64_t epoch, Heard* heard);
  std::unique_ptr<Directory> NewDirectory();
  std::unique_ptr<v1::Bootstrap::Stub> NewStub();
  // Every rank of a pp x tp server, through one registrar.
  void AddServer(Registrar* registrar, const std::string& name, const std::string& launch,
                 uint32_t pp, uint32_t tp, Role role = Role::kPrefill);

  BootstrapOptions options_;  // change before StartService
  std::unique_ptr<BootstrapServer> service_;
  std::string address_;
};

// With the deadline that every call needs.
std::unique_ptr<grpc::ClientContext> Within(int seconds);

// Bytes in, bytes out: for services without a stub here, and for bytes that are no message.
grpc::Status RawCall(const std::string& address, const std::string& method,
                     const std::string& bytes, std::string* answer);

}  // namespace baton::registry

#endif  // BATON_BOOTSTRAP_SERVICE_INTEGRATION_FIXTURE_H_
