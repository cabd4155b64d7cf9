#include "tests/demo/runner/pairs.h"

#include <gtest/gtest.h>

#include <set>

#include "tests/demo/model/topology.h"

namespace baton::demo {
namespace {

TEST(Pairs, AreAtLeastThirtyWithNamesOfTheirOwn) {
  std::set<std::string> names;
  for (const NamedPair& pair : NamedPairs()) names.insert(pair.name);
  EXPECT_EQ(names.size(), NamedPairs().size());
  EXPECT_GE(names.size(), 30u);
}

TEST(Pairs, AreWellFormed) {
  for (const NamedPair& pair : NamedPairs()) {
    const Preset* preset = FindPreset(pair.preset);
    ASSERT_NE(preset, nullptr) << pair.name;
    for (const char* text : {pair.prefill, pair.decode}) {
      auto topology = ParseTopology(text);
      ASSERT_TRUE(topology.ok()) << pair.name << ": " << topology.status();
      auto spec = BuildSpec(*preset, *topology);
      EXPECT_TRUE(spec.ok()) << pair.name << ": " << spec.status();
    }
  }
}

TEST(Pairs, HoldTheSeedWith136Ranks) {
  const NamedPair* seed = FindPair("seed");
  ASSERT_NE(seed, nullptr);
  size_t ranks = RanksOf(ParseTopology(seed->prefill)->sizes).size() +
                 RanksOf(ParseTopology(seed->decode)->sizes).size();
  EXPECT_EQ(ranks, 136u);
  EXPECT_EQ(FindPair("nonesuch"), nullptr);
}

}  // namespace
}  // namespace baton::demo
