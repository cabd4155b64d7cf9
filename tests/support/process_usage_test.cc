#include "tests/support/process_usage.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <mutex>
#include <thread>
#include <vector>

#include "common/unique_fd.h"

namespace baton {
namespace {

TEST(ProcessUsageTest, AFileMoreIsCounted) {
  const uint64_t before = UsageOf(getpid()).files;
  const UniqueFd file(open("/dev/null", O_RDONLY | O_CLOEXEC));
  EXPECT_EQ(UsageOf(getpid()).files, before + 1);
}

TEST(ProcessUsageTest, AThreadMoreIsCounted) {
  const uint64_t before = UsageOf(getpid()).threads;
  std::mutex held;
  held.lock();
  std::thread waits([&held] { std::lock_guard<std::mutex> until(held); });
  EXPECT_EQ(UsageOf(getpid()).threads, before + 1);
  held.unlock();
  waits.join();
}

TEST(ProcessUsageTest, MemoryThatIsWrittenIsCountedAndWorkTakesTime) {
  const ProcessUsage before = UsageOf(getpid());
  std::vector<char> bytes(64 << 20);
  double sum = 0;
  while (UsageOf(getpid()).cpu_seconds == before.cpu_seconds) {
    for (size_t i = 0; i < bytes.size(); i += 512) sum += ++bytes[i];
  }
  EXPECT_GT(sum, 0);
  EXPECT_GE(UsageOf(getpid()).anonymous_bytes, before.anonymous_bytes + (60 << 20));
}

TEST(ProcessUsageTest, NobodyHoldsNothing) {
  const ProcessUsage nobody = UsageOf(1 << 30);
  EXPECT_EQ(nobody.files + nobody.threads + nobody.anonymous_bytes, 0u);
  EXPECT_EQ(nobody.cpu_seconds, 0);
}

}  // namespace
}  // namespace baton
