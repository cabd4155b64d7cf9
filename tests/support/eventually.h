// Waits in a test for what another thread or process is about to do. The only place where a test
// may sleep: everything else polls through here, with a deadline that no passing test comes near.
//
//   ASSERT_TRUE(Eventually([&] { return server.ready(); }));
#ifndef BATON_TESTS_SUPPORT_EVENTUALLY_H_
#define BATON_TESTS_SUPPORT_EVENTUALLY_H_

#include <chrono>
#include <thread>

namespace baton {

// False when `condition()` was never true before the limit. The default is long because sanitizers
// and a loaded machine are slow, not because a passing test waits.
template <typename Condition>
bool Eventually(Condition condition, std::chrono::milliseconds limit = std::chrono::seconds(60)) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() >= deadline) return condition();
    // tidy-allow(sleep): this is the one place
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

}  // namespace baton

#endif  // BATON_TESTS_SUPPORT_EVENTUALLY_H_
