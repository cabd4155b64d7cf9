#include "transfer_agent/worker/server_list.h"

#include <gtest/gtest.h>

namespace baton::worker {
namespace {

std::shared_ptr<const ServerView> View(const std::string& name, std::vector<std::string> aliases) {
  auto view = std::make_shared<ServerView>();
  view->name = name;
  view->aliases = std::move(aliases);
  return view;
}

TEST(ServerList, FindsAServerByItsNameAndByEachAlias) {
  ServerList list;
  list.Put(View("a", {"x", "y"}));
  for (const std::string name : {"a", "x", "y"}) {
    ASSERT_NE(list.Find(name), nullptr) << name;
    EXPECT_EQ(list.Find(name)->name, "a");
  }
  EXPECT_EQ(list.Find("z"), nullptr);
  list.Remove("a");
  for (const std::string name : {"a", "x", "y"}) EXPECT_EQ(list.Find(name), nullptr) << name;
}

TEST(ServerList, GivesAnAliasThatMovesToItsNewServerInEitherOrderOfNews) {
  for (bool loser_first : {true, false}) {
    ServerList list;
    list.Put(View("a", {"x"}));
    if (loser_first) list.Put(View("a", {}));
    list.Put(View("b", {"x"}));
    if (!loser_first) list.Put(View("a", {}));
    ASSERT_NE(list.Find("x"), nullptr) << loser_first;
    EXPECT_EQ(list.Find("x")->name, "b") << loser_first;
  }
}

TEST(ServerList, TakesAServersOwnNameBeforeAnothersAlias) {
  ServerList list;
  list.Put(View("a", {"b"}));
  list.Put(View("b", {}));
  EXPECT_EQ(list.Find("b")->name, "b");
  list.Remove("b");
  EXPECT_EQ(list.Find("b")->name, "a");
}

}  // namespace
}  // namespace baton::worker
