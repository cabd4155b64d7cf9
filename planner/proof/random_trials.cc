#include "planner/proof/random_trials.h"

#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "planner/plan.h"

namespace baton::planner {
namespace {

// Log-uniform in [1, most].
uint32_t LogUniform(Random& random, uint32_t most) {
  const double unit = static_cast<double>(random() >> 11) * 0x1.0p-53;
  return static_cast<uint32_t>(std::exp(unit * std::log(most + 0.999)));
}

RankCoord RandomSizes(Random& random, uint32_t ranks) {
  RankCoord sizes{1, 1, 1, 1};
  uint32_t left = LogUniform(random, ranks);
  uint32_t* axes[] = {&sizes.pp, &sizes.cp, &sizes.tp};
  for (int i = 0; i < 6 && left > 1; ++i) {
    const uint32_t factor = LogUniform(random, left);
    *axes[random() % 3] *= factor;
    left /= factor;
  }
  return sizes;
}

ServerSpec RandomSpec(ModelKind kind, uint32_t layers, const RankCoord& sizes, Random& random) {
  constexpr uint32_t kPageTokens[] = {4, 8, 16};
  SpecShape shape;
  shape.sizes = sizes;
  shape.cp_sharding = static_cast<CpSharding>(Draw(random, 1, kCpShardings));
  shape.layers = layers;
  shape.page_tokens = kPageTokens[random() % 3];
  shape.last_stage = random() % 2 == 0;
  return MakeSpec(kind, shape, random);
}

}  // namespace

std::string Describe(const Trial& trial, const RankCoord& target) {
  const auto side = [](const ServerSpec& spec) {
    return absl::StrCat("pp ", spec.sizes.pp, " cp ", spec.sizes.cp, " (sharding ",
                        static_cast<int>(spec.cp_sharding), ") tp ", spec.sizes.tp);
  };
  return absl::StrCat(side(trial.source->spec()), " to ", side(trial.target->spec()), ", target ",
                      ToString(target), ", tokens ", trial.tokens.total, ", prefix ",
                      trial.tokens.prefix, ", tp policy ", static_cast<int>(trial.policy.tp_holder),
                      ", cp policy ", static_cast<int>(trial.policy.cp_holder));
}

absl::Status RandomTrial(uint64_t seed, const TrialBounds& bounds, Tally* tally) {
  Random random(seed * 0x9e3779b97f4a7c15 + 1);
  const ModelKind kind = static_cast<ModelKind>(random() % kModelKinds);
  const uint32_t layers = LogUniform(random, bounds.layers) + 1;
  const ServerSpec source_spec =
      RandomSpec(kind, layers, RandomSizes(random, bounds.ranks), random);
  ServerSpec target_spec = RandomSpec(kind, layers, RandomSizes(random, bounds.ranks), random);
  ModelServer source(source_spec, RandomOptions(source_spec, bounds.tokens, random));
  ModelServer target(target_spec, RandomOptions(target_spec, bounds.tokens, random));
  Trial trial;
  trial.source = &source;
  trial.target = &target;
  trial.policy.tp_holder = static_cast<HolderPolicy>(Draw(random, 1, 2));
  trial.policy.cp_holder = static_cast<HolderPolicy>(Draw(random, 1, 2));
  trial.tokens.total = random() % 16 == 0 ? 0 : LogUniform(random, bounds.tokens);
  trial.tokens.prefix = random() % 2 == 0 ? 0 : Draw(random, 0, trial.tokens.total);
  trial.chunks = RandomChunks(trial.tokens, layers, random);
  trial.thorough = random() % 32 == 0;
  source.OpenRoom(trial.tokens.total, 0, seed);
  target.OpenRoom(trial.tokens.total, trial.tokens.prefix, seed);
  ++tally->pairs;
  const std::vector<RankCoord> ranks = target.Ranks();
  for (uint32_t i = 0; i < bounds.targets && i < ranks.size(); ++i) {
    const RankCoord coord = ranks[(random() + i) % ranks.size()];
    const absl::Status status = CheckTarget(trial, coord, tally);
    if (status.ok()) continue;
    return absl::InternalError(absl::StrCat("trial ", seed, ", model ", static_cast<int>(kind),
                                            ", ", layers, " layers, ", Describe(trial, coord), ": ",
                                            status.message()));
  }
  return absl::OkStatus();
}

}  // namespace baton::planner
