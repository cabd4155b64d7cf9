#include "tests/support/process_usage.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

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
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd reads(ends[0]);
  UniqueFd writes(ends[1]);
  std::thread waits([&reads] {
    char byte;
    EXPECT_EQ(read(reads.get(), &byte, 1), 0);
  });
  EXPECT_EQ(UsageOf(getpid()).threads, before + 1);
  writes = UniqueFd();
  waits.join();
}

TEST(ProcessUsageTest, MemoryThatIsWrittenIsCountedAndWorkTakesTime) {
  const ProcessUsage before = UsageOf(getpid());
  std::vector<char> bytes(64 << 20);
  do {
    for (size_t i = 0; i < bytes.size(); i += 512) ++bytes[i];
  } while (UsageOf(getpid()).cpu_seconds == before.cpu_seconds);
  EXPECT_GE(UsageOf(getpid()).anonymous_bytes, before.anonymous_bytes + (60 << 20));
}

TEST(ProcessUsageTest, NobodyHoldsNothing) {
  const ProcessUsage nobody = UsageOf(1 << 30);
  EXPECT_EQ(nobody.files + nobody.threads + nobody.anonymous_bytes, 0u);
  EXPECT_EQ(nobody.cpu_seconds, 0);
}

}  // namespace
}  // namespace baton
