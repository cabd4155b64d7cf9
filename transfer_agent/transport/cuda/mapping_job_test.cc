#include "transfer_agent/transport/cuda/mapping_job.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>

#include "tests/support/eventually.h"

namespace baton::transport::cuda {
namespace {

TEST(MappingJob, HasNothingUntilItsThreadIsDoneAndThenTheSameForEver) {
  std::promise<void> go;
  std::shared_future<void> gone = go.get_future().share();
  std::atomic<int> begun{0};
  MappingJob job;
  const auto get = [&] {
    return job.Get([&] {
      return [&, gone]() -> absl::StatusOr<SharedRegions> {
        ++begun;
        gone.wait();
        return SharedRegions(std::make_shared<MappedRegions>());
      };
    });
  };
  for (int i = 0; i < 100; ++i) {
    auto got = get();
    ASSERT_TRUE(got.ok());
    ASSERT_EQ(*got, nullptr);
  }
  go.set_value();
  SharedRegions regions;
  ASSERT_TRUE(Eventually([&] { return (regions = *get()) != nullptr; }));
  EXPECT_EQ(*get(), regions);
  EXPECT_EQ(begun, 1);
}

TEST(MappingJob, TellsOfAFailureAndBeginsAnew) {
  int tries = 0;
  MappingJob job;
  absl::StatusOr<SharedRegions> got;
  const auto get = [&] {
    got = job.Get([&] {
      return [fails = tries++ == 0]() -> absl::StatusOr<SharedRegions> {
        if (fails) return absl::InternalError("once");
        return SharedRegions(std::make_shared<MappedRegions>());
      };
    });
    return !got.ok() || *got != nullptr;
  };
  ASSERT_TRUE(Eventually(get));
  EXPECT_EQ(got.status().message(), "once");
  ASSERT_TRUE(Eventually(get));
  EXPECT_TRUE(got.ok());
  EXPECT_EQ(tries, 2);
}

}  // namespace
}  // namespace baton::transport::cuda
