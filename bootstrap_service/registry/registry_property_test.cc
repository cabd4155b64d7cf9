// Seeded random histories against a registry that keeps its books in the plainest way.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "bootstrap_service/registry/batch.h"
#include "bootstrap_service/registry/registry.h"
#include "bootstrap_service/registry/testing.h"
#include "client/bootstrap/directory_core.h"
#include "common/reason.h"

namespace baton::registry {
namespace {

constexpr int kHistories = 60;
constexpr int kSteps = 400;

// What an agent holds, from the answers it got.
struct Held {
  std::string server;
  uint64_t incarnation;
  RankCoord coord;
  uint64_t epoch;
  uint64_t lease;
  TimePoint renewed;
};

class History {
 public:
  explicit History(uint64_t seed) : random_(seed), registry_(MakeLimits(seed), seed, clock_.now) {
    Watch();
  }

  void Step() {
    switch (Draw(10)) {
      case 0:
        return Issue();
      case 1:
      case 2:
      case 3:
        return Register();
      case 4:
      case 5:
        return Renew();
      case 6:
        return Deregister();
      case 7:
        return Drain();
      default:
        return Pass();
    }
  }

  void CheckEverything() {
    uint64_t slots_live = 0;
    for (const auto& [name, server] : registry_.servers()) {
      CheckServer(*server);
      slots_live += server->live.size();
    }
    EXPECT_EQ(registry_.leases(), slots_live);
    CheckWatchers();
  }

 private:
  static Limits MakeLimits(uint64_t seed) {
    Limits limits;
    limits.lease = std::chrono::milliseconds(3000);
    limits.settle = seed % 2 == 0 ? limits.lease : Duration::zero();
    limits.forget_after_leases = 2;
    return limits;
  }

  uint32_t Draw(uint32_t n) { return random_() % n; }
  std::string DrawName() { return absl::StrCat("s", Draw(3)); }
  std::string DrawLaunch() { return absl::StrCat("l", Draw(4)); }
  RankCoord SizesOf(const std::string& launch) { return {1, launch == "l3" ? 2u : 1u, 1, 2}; }

  void Issue() {
    std::string name = DrawName();
    std::string launch = DrawLaunch();
    auto answer = registry_.Apply(ServerRequest(name, launch, SizesOf(launch)), clock_.now);
    if (!answer.ok()) return;
    uint64_t& latest = issued_[name];
    EXPECT_GE(answer->incarnation(), latest);
    // One number is one launch.
    std::string& owner = launch_of_[{name, answer->incarnation()}];
    EXPECT_TRUE(owner.empty() || owner == launch);
    latest = answer->incarnation();
    owner = launch;
  }

  void Register() {
    std::string name = DrawName();
    uint64_t incarnation = issued_[name];
    std::string launch = launch_of_[{name, incarnation}];
    if (launch.empty()) {
      launch = DrawLaunch();
      incarnation = 1'000'000 + Draw(3);
    }
    RankCoord sizes = SizesOf(launch);
    RankCoord coord{0, Draw(sizes.pp + 1), 0, Draw(sizes.tp + 1)};
    uint64_t epoch = 1 + Draw(4);
    const Server* before = registry_.Find(name);
    Incarnation was = before == nullptr ? Incarnation() : before->incarnation;
    auto answer =
        registry_.Apply(RankRequest(name, launch, incarnation, sizes, coord, epoch), clock_.now);
    const Server* after = registry_.Find(name);
    EXPECT_TRUE(after == nullptr || after->incarnation >= was);
    if (!answer.ok()) return;
    EXPECT_TRUE(Inside(coord, sizes));
    const Slot& slot = after->slots[SlotOf(coord, sizes)];
    EXPECT_EQ(slot.epoch, Epoch(epoch));
    EXPECT_EQ(slot.lease, LeaseId(answer->lease_id()));
    held_[answer->lease_id()] = {name,  incarnation,        coord,
                                 epoch, answer->lease_id(), clock_.now.time};
  }

  void Renew() {
    v1::KeepAliveRequest request;
    request.set_epoch(1 + Draw(4));
    for (const auto& [lease, held] : held_) {
      if (held.epoch == request.epoch() && Draw(4) != 0) request.add_lease_ids(lease);
    }
    if (Draw(2) == 0) request.mutable_load()->set_rooms(Draw(5));
    auto answer = registry_.Apply(request, clock_.now);
    ASSERT_TRUE(answer.ok());
    std::set<uint64_t> unknown(answer->unknown_lease_ids().begin(),
                               answer->unknown_lease_ids().end());
    for (uint64_t lease : request.lease_ids()) {
      if (unknown.count(lease) > 0) {
        held_.erase(lease);
      } else {
        held_[lease].renewed = clock_.now.time;
      }
    }
  }

  void Deregister() {
    if (held_.empty()) return;
    auto victim = std::next(held_.begin(), Draw(held_.size()));
    v1::DeregisterRequest request;
    request.add_lease_ids(victim->first);
    ASSERT_TRUE(registry_.Apply(request, clock_.now).ok());
    held_.erase(victim);
  }

  void Drain() {
    v1::DrainRequest request;
    request.set_server(DrawName());
    request.set_undo(Draw(2) == 0);
    (void)registry_.Apply(request, clock_.now);
  }

  void Pass() {
    clock_.Pass((50 + Draw(1000)) * kMs);
    registry_.Tick(clock_.now);
  }

  // ReadyIsASet, by recounting.
  void CheckServer(const Server& server) {
    uint32_t live = 0;
    std::map<Epoch, uint32_t> by_agent;
    for (const Slot& slot : server.slots) {
      if (slot.phase.state() != SlotPhase::kLive) continue;
      ++live;
      ++by_agent[slot.epoch];
    }
    EXPECT_EQ(server.live.size(), live);
    EXPECT_EQ(server.agents.size(), by_agent.size());
    for (const auto& [epoch, count] : by_agent) EXPECT_EQ(server.agents.at(epoch).live, count);
    bool full = live == server.slots.size();
    ServerPhase phase = server.phase.state();
    EXPECT_TRUE(full || phase != ServerPhase::kReady);
    EXPECT_TRUE(!full || phase != ServerPhase::kRegistering);
    EXPECT_FALSE(phase == ServerPhase::kProvisional && registry_.settled());
    // Nobody who renewed within the lease time is taken for dead.
    for (const auto& [lease, held] : held_) {
      bool current =
          held.server == *server.name && Incarnation(held.incarnation) == server.incarnation;
      if (!current) continue;
      const Slot& slot = server.slots[SlotOf(held.coord, server.identity.sizes)];
      if (clock_.now.time - held.renewed >= kLease) continue;
      bool replaced = slot.epoch != Epoch(held.epoch) || slot.lease != LeaseId(lease);
      EXPECT_TRUE(replaced || slot.phase.state() == SlotPhase::kLive);
    }
  }

  void Watch() {
    copy_ = DirectoryCore();
    (void)copy_.BeginWatch();
    for (const std::string& bytes : SnapshotMessages(&registry_, {})) Tell(bytes);
    told_ = registry_.changes().latest();
  }

  void Tell(const std::string& bytes) {
    v1::WatchResponse message;
    ASSERT_TRUE(message.ParseFromString(bytes));
    EXPECT_FALSE(copy_.Apply(message).compacted);
  }

  // A copy that is told of changes now and then is equal to the registry whenever it is current.
  void CheckWatchers() {
    if (Draw(4) != 0) return;
    std::string bytes = ChangesMessage(&registry_, told_, {});
    if (!bytes.empty()) Tell(bytes);
    told_ = registry_.changes().latest();
    EXPECT_EQ(copy_.All().size(), registry_.servers().size());
    for (const auto& [name, server] : registry_.servers()) {
      v1::ServerRecord truth;
      truth.ParseFromString(registry_.ImageOf(name)->record);
      auto copied = copy_.Find(name);
      ASSERT_NE(copied, nullptr) << name;
      v1::ServerRecord copy = *copied;
      truth.clear_modified();
      copy.clear_modified();
      EXPECT_EQ(copy.DebugString(), truth.DebugString());
    }
  }

  std::mt19937_64 random_;
  TestClock clock_;
  Registry registry_;
  std::map<std::string, uint64_t> issued_;
  std::map<std::pair<std::string, uint64_t>, std::string> launch_of_;
  std::map<uint64_t, Held> held_;
  DirectoryCore copy_;
  uint64_t told_ = 0;
};

TEST(RegistryProperties, HoldInEveryHistory) {
  for (uint64_t seed = 1; seed <= kHistories; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    History history(seed);
    for (int i = 0; i < kSteps; ++i) {
      history.Step();
      history.CheckEverything();
      if (::testing::Test::HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace baton::registry
