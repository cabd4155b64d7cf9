#include "common/thread_limit.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/reason.h"

namespace baton {
namespace {

TEST(ThreadLimit, IsOkWhereThereAreEnough) { EXPECT_TRUE(CheckThreadLimit(8).ok()); }

// By address space, since the limit of threads does not hold for root.
TEST(ThreadLimitDeathTest, SaysHowManyThereAre) {
  EXPECT_EXIT(
      {
        rlimit few;
        few.rlim_cur = few.rlim_max = 256 << 20;
        setrlimit(RLIMIT_AS, &few);
        const absl::Status status = CheckThreadLimit(1000);
        const bool said = ReasonOf(status) == Reason::kConfig &&
                          status.message().find("1000 is the least") != absl::string_view::npos;
        _exit(said ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
}

TEST(EndWithinDeathTest, EndsWhatWaitsForEver) {
  EXPECT_EXIT(
      {
        EndWithin(1);
        for (;;) pause();
      },
      testing::ExitedWithCode(3), "stopping took too long");
}

}  // namespace
}  // namespace baton
