#include "tests/soak/synthetic_trace.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <utility>

namespace baton::soak {
namespace {

constexpr double kMeanGapMs = 300;
constexpr double kOpeningMedian = 3700;
constexpr double kOpeningSigma = 1.0;
constexpr uint64_t kLongest = 126000;
constexpr size_t kConversationsOpen = 200;

struct Conversation {
  std::vector<uint64_t> blocks;  // whole ones alone can be shared
  uint64_t tokens = 0;
};

}  // namespace

std::vector<demo::Request> SyntheticTrace(uint64_t seed, size_t requests) {
  std::mt19937_64 random(seed);
  std::exponential_distribution<double> gap_ms(1 / kMeanGapMs);
  std::lognormal_distribution<double> opening(std::log(kOpeningMedian), kOpeningSigma);
  std::uniform_int_distribution<uint64_t> turn(200, 6000);
  std::uniform_int_distribution<uint64_t> output(1, 800);
  std::vector<Conversation> open;
  std::vector<demo::Request> trace;
  uint64_t next_block = 1;  // block 0 is the system prompt, which all share
  double now_ms = 0;
  while (trace.size() < requests) {
    now_ms += gap_ms(random);
    Conversation talk{{0}, static_cast<uint64_t>(opening(random)) + 60};
    if (!open.empty() && random() % 2 == 0) {
      std::swap(open[random() % open.size()], open.back());
      talk = std::move(open.back());
      open.pop_back();
      talk.tokens += turn(random);
    }
    talk.tokens = std::min(talk.tokens, kLongest);
    const uint64_t whole = talk.tokens / demo::kBlockTokens;
    while (talk.blocks.size() < whole) talk.blocks.push_back(next_block++);
    talk.blocks.resize(whole);
    demo::Request request{static_cast<uint64_t>(now_ms), talk.tokens, output(random), talk.blocks};
    if (talk.tokens % demo::kBlockTokens > 0) request.blocks.push_back(next_block++);
    talk.tokens += request.output_tokens;
    trace.push_back(std::move(request));
    open.push_back(std::move(talk));
    if (open.size() > kConversationsOpen) open.erase(open.begin());
  }
  return trace;
}

}  // namespace baton::soak
