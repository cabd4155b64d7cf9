#include <gtest/gtest.h>

#include "planner/proof/check.h"
#include "planner/proof/specs.h"

namespace baton::planner {
namespace {

TEST(ExactlyOnce, HoldsForASweepOfSmallTopologies) {
  Random random(7);
  Tally tally;
  for (int i = 0; i < 3000; ++i) {
    const RankCoord from{1, uint32_t(Draw(random, 1, 3)), uint32_t(Draw(random, 1, 4)),
                         uint32_t(Draw(random, 1, 6))};
    const RankCoord to{1, uint32_t(Draw(random, 1, 3)), uint32_t(Draw(random, 1, 4)),
                       uint32_t(Draw(random, 1, 6))};
    const auto sharding = [&] { return static_cast<CpSharding>(Draw(random, 1, 6)); };
    const ModelKind kind = static_cast<ModelKind>(random() % kModelKinds);
    const uint32_t layers = static_cast<uint32_t>(Draw(random, 3, 9));
    ServerSpec s = MakeSpec(kind, from, sharding(), layers, random() % 2 ? 4 : 8, random);
    ServerSpec t = MakeSpec(kind, to, sharding(), layers, random() % 2 ? 4 : 8, random);
    ASSERT_TRUE(ValidateSpec(s).ok()) << ValidateSpec(s);
    ModelServer source(s, RandomOptions(s, 64, random));
    ModelServer target(t, RandomOptions(t, 64, random));
    Trial trial{&source, &target, {}, {}, {}, i % 16 == 0};
    trial.policy.tp_holder = static_cast<HolderPolicy>(Draw(random, 1, 2));
    trial.policy.cp_holder = static_cast<HolderPolicy>(Draw(random, 1, 2));
    trial.tokens.total = Draw(random, 0, 60);
    trial.tokens.prefix = random() % 2 ? 0 : Draw(random, 0, trial.tokens.total);
    trial.chunks = RandomChunks(trial.tokens, layers, random);
    source.OpenRoom(trial.tokens.total, 0, i);
    target.OpenRoom(trial.tokens.total, trial.tokens.prefix, i);
    const auto ranks = target.Ranks();
    const RankCoord coord = ranks[random() % ranks.size()];
    ++tally.pairs;
    const absl::Status status = CheckTarget(trial, coord, &tally);
    ASSERT_TRUE(status.ok()) << "trial " << i << " kind " << int(kind) << " " << ToString(from)
                             << " " << int(s.cp_sharding) << " -> " << ToString(to) << " "
                             << int(t.cp_sharding) << " target " << ToString(coord) << " tokens "
                             << trial.tokens.total << " prefix " << trial.tokens.prefix << " tp/cp "
                             << int(trial.policy.tp_holder) << int(trial.policy.cp_holder) << ": "
                             << status;
  }
  std::cout << "checked " << tally.pairs << " pairs, " << tally.plans << " plans, " << tally.runs
            << " runs, " << tally.bytes << " bytes\n";
}

}  // namespace
}  // namespace baton::planner
