#include "bench/bootstrap/live_service.h"

#include <chrono>
#include <cstdio>
#include <thread>

#include "bootstrap_service/app/server.h"
#include "common/log.h"

namespace baton::bench {
namespace {

#ifdef __OPTIMIZE__
constexpr bool kOptimised = true;
#else
constexpr bool kOptimised = false;
#endif

}  // namespace

double MillisSince(TimePoint start) {
  return std::chrono::duration<double, std::milli>(Monotonic::now() - start).count();
}

bool WaitFor(const std::function<bool()>& condition) {
  const TimePoint deadline = Monotonic::now() + kGiveUp;
  while (!condition()) {
    if (Monotonic::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  return true;
}

int RunWithService(const char* program, registry::BootstrapOptions options,
                   const std::function<bool(const std::string& address)>& measure) {
  if (!kOptimised) {
    std::fprintf(stderr, "%s: not an optimised build: build with -c opt\n", program);
    return 2;
  }
  FLAGS_minloglevel = 2;
  InitLog(program);
  options.listen = "127.0.0.1:0";
  options.settle = "none";
  auto server = registry::BootstrapServer::Start(options);
  if (!server.ok()) {
    std::fprintf(stderr, "%s: %s\n", program, server.status().ToString().c_str());
    return 1;
  }
  if (measure((*server)->address())) return 0;
  std::fprintf(stderr, "%s: gave up after a minute\n", program);
  return 1;
}

}  // namespace baton::bench
