// What the benches of the bootstrap service have in common: a service in this process, on a free
// port of this host, and how to wait for what it does.
#ifndef BATON_BENCH_BOOTSTRAP_LIVE_SERVICE_H_
#define BATON_BENCH_BOOTSTRAP_LIVE_SERVICE_H_

#include <chrono>
#include <functional>
#include <string>

#include "bootstrap_service/app/options.h"
#include "common/clock.h"

namespace baton::bench {

// A bench ends after so long a wait.
inline constexpr auto kGiveUp = std::chrono::seconds(60);

double MillisSince(TimePoint start);

// Looks every 0.1 ms. False when kGiveUp has passed.
bool WaitFor(const std::function<bool()>& condition);

// Starts a service, which has none before it to wait for, and has `measure` do its work with its
// address; false is the end of a wait. What main returns: nothing is measured in a build that is
// not optimised.
int RunWithService(const char* program, registry::BootstrapOptions options,
                   const std::function<bool(const std::string& address)>& measure);

}  // namespace baton::bench

#endif  // BATON_BENCH_BOOTSTRAP_LIVE_SERVICE_H_
