#include "bootstrap_service/store/memory_store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "bootstrap_service/registry/testing.h"
#include "common/reason.h"
#include "tests/support/eventually.h"

namespace baton::registry {
namespace {

Limits ShortLease() {
  Limits limits;
  limits.lease = std::chrono::milliseconds(200);
  limits.settle = Duration::zero();
  return limits;
}

v1::LookupRoomRequest LookupOf(uint64_t room) {
  v1::LookupRoomRequest request;
  request.add_rooms()->set_server("p");
  request.mutable_rooms(0)->mutable_room()->set_id(room);
  return request;
}

v1::BindRoomRequest BindOf(uint64_t room, uint32_t dp) {
  v1::BindRoomRequest request;
  request.add_bindings()->set_server("p");
  request.mutable_bindings(0)->mutable_room()->set_id(room);
  request.mutable_bindings(0)->set_dp(dp);
  return request;
}

TEST(MemoryStore, LetsLeasesEndByItselfAndTellsItsListener) {
  MemoryStore store(ShortLease(), 1);
  std::atomic<int> told{0};
  store.SetListener([&] { ++told; });
  uint64_t incarnation = 0;
  store.Submit(ServerRequest("p", "l", {1, 1, 1, 1}),
               [&](const absl::StatusOr<v1::RegisterServerResponse>& answer) {
                 incarnation = answer->incarnation();
               });
  store.Submit(RankRequest("p", "l", incarnation, {1, 1, 1, 1}, {0, 0, 0, 0}, 1),
               [](const auto& answer) { EXPECT_TRUE(answer.ok()); });
  EXPECT_EQ(told, 2);
  EXPECT_EQ(store.Get("p")->servers[0]->ranks, 1u);
  EXPECT_TRUE(Eventually([&] {
    auto listing = store.Get("p");
    return listing.ok() && listing->servers[0]->ranks == 0;
  }));
  EXPECT_TRUE(Eventually([&] { return told >= 3; }));
  store.SetListener(nullptr);
}

Store::ListQuery Query(v1::Role role, const std::string& model) {
  Store::ListQuery query;
  query.role = role;
  query.model = model;
  return query;
}

Store::ListQuery Page(const std::string& after, size_t servers, size_t bytes = SIZE_MAX) {
  Store::ListQuery query;
  query.after = after;
  query.servers = servers;
  query.bytes = bytes;
  return query;
}

TEST(MemoryStore, ListsByRoleAndModel) {
  MemoryStore store(ShortLease(), 1);
  store.Submit(ServerRequest("p", "l", {1, 1, 1, 1}), [](const auto&) {});
  EXPECT_EQ(store.List({}).servers.size(), 1u);
  EXPECT_EQ(store.List(Query(v1::ROLE_PREFILL, "model")).servers.size(), 1u);
  EXPECT_EQ(store.List(Query(v1::ROLE_DECODE, "")).servers.size(), 0u);
  EXPECT_EQ(store.List(Query(v1::ROLE_UNSPECIFIED, "other")).servers.size(), 0u);
  EXPECT_EQ(ReasonOf(store.Get("q").status()), Reason::kUnknownServer);
}

TEST(MemoryStore, ListsByPagesThatAreBoundedByServersAndByBytes) {
  MemoryStore store(ShortLease(), 1);
  for (const char* name : {"a", "b", "c", "d"}) {
    store.Submit(ServerRequest(name, "l", {1, 1, 1, 1}), [](const auto&) {});
  }
  auto names = [](const Listing& listing) {
    std::string all;
    for (const auto& server : listing.servers) all += server->name;
    return all;
  };
  EXPECT_EQ(names(store.List({})), "abcd");
  const Listing first = store.List(Page("", 3));
  EXPECT_EQ(names(first), "abc");
  EXPECT_TRUE(first.more);
  const Listing last = store.List(Page("c", 3));
  EXPECT_EQ(names(last), "d");
  EXPECT_FALSE(last.more);
  EXPECT_FALSE(store.List(Page("a", 3)).more) << "the page ends with the list";
  EXPECT_EQ(names(store.List(Page("bb", 1))), "c") << "its server may have gone";
  const Listing large = store.List(Page("", SIZE_MAX, 1));
  EXPECT_EQ(names(large), "a") << "one alone may be larger than a page";
  EXPECT_TRUE(large.more);
}

TEST(MemoryStore, ALookupIsAnsweredByABindingOfAnotherThread) {
  MemoryStore store(ShortLease(), 1);
  std::atomic<uint32_t> dp{99};
  WaiterId waiter = store.Lookup(
      LookupOf(4), Monotonic::now() + std::chrono::minutes(1),
      [&](const absl::StatusOr<v1::LookupRoomResponse>& answer) { dp = answer->bindings(0).dp(); });
  EXPECT_NE(waiter, WaiterId());
  std::thread([&] { store.Submit(BindOf(4, 2), [](const auto&) {}); }).join();
  EXPECT_EQ(dp, 2u);
  EXPECT_FALSE(store.CancelLookup(waiter));
}

TEST(MemoryStore, ALookupIsAnsweredEmptyWhenItsTimeIsOver) {
  MemoryStore store(ShortLease(), 1);
  std::atomic<int> found{-1};
  store.Lookup(LookupOf(4), Monotonic::now() + std::chrono::milliseconds(1),
               [&](const absl::StatusOr<v1::LookupRoomResponse>& answer) {
                 found = answer->bindings_size();
               });
  EXPECT_TRUE(Eventually([&] { return found == 0; }));
}

TEST(MemoryStore, ACancelledLookupIsNeverAnsweredAndAnOutstandingOneAtTheEnd) {
  std::atomic<int> answers{0};
  {
    MemoryStore store(ShortLease(), 1);
    auto count = [&](const auto&) { ++answers; };
    TimePoint ends = Monotonic::now() + std::chrono::minutes(1);
    WaiterId waiter = store.Lookup(LookupOf(4), ends, count);
    EXPECT_TRUE(store.CancelLookup(waiter));
    store.Submit(BindOf(4, 2), [](const auto&) {});
    EXPECT_EQ(answers, 0);
    store.Lookup(LookupOf(5), ends, count);
  }
  EXPECT_EQ(answers, 1);
}

TEST(MemoryStore, ABindingToADpThatTheServerDoesNotHaveIsRefused) {
  MemoryStore store(ShortLease(), 1);
  store.Submit(ServerRequest("p", "l", {2, 1, 1, 1}), [](const auto&) {});
  store.Submit(BindOf(1, 1), [](const auto& answer) { EXPECT_TRUE(answer.ok()); });
  store.Submit(BindOf(2, 2),
               [](const auto& answer) { EXPECT_EQ(ReasonOf(answer.status()), Reason::kBadCoord); });
}

TEST(MemoryStore, ManyThreadsAgree) {
  Limits limits = ShortLease();
  limits.lease = std::chrono::minutes(1);
  MemoryStore store(limits, 1);
  constexpr RankCoord kSizes{1, 1, 4, 16};
  std::atomic<uint64_t> incarnation{0};
  auto work = [&](uint32_t cp) {
    store.Submit(ServerRequest("p", "l", kSizes),
                 [&](const absl::StatusOr<v1::RegisterServerResponse>& answer) {
                   incarnation = answer->incarnation();
                 });
    for (uint32_t tp = 0; tp < kSizes.tp; ++tp) {
      store.Submit(RankRequest("p", "l", incarnation, kSizes, {0, 0, cp, tp}, cp + 1),
                   [](const auto& answer) { EXPECT_TRUE(answer.ok()); });
      (void)store.Snapshot({});
    }
  };
  std::vector<std::thread> threads;
  for (uint32_t cp = 0; cp < kSizes.cp; ++cp) threads.emplace_back(work, cp);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(store.Get("p")->servers[0]->ranks, 64u);
}

}  // namespace
}  // namespace baton::registry
