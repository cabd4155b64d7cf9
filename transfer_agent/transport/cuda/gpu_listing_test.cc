#include "transfer_agent/transport/cuda/gpu_listing.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "common/reason.h"
#include "transfer_agent/transport/cuda/driver.h"

namespace baton::transport::cuda {
namespace {

class Listing : public ::testing::Test {
 protected:
  ~Listing() override { unsetenv("FAKE_CUDA"); }

  static absl::StatusOr<GpuListing> List(const char* how) {
    setenv("FAKE_CUDA", how, 1);
    auto driver = LoadDriver("transfer_agent/transport/cuda/libfake_driver.so");
    EXPECT_TRUE(driver.ok()) << driver.status();
    return ListGpus(**driver);
  }
};

TEST_F(Listing, NamesTheDriverAndEveryGpu) {
  auto listing = List("");
  ASSERT_TRUE(listing.ok()) << listing.status();
  EXPECT_EQ(listing->driver, "13.0");
  ASSERT_EQ(listing->gpus.size(), 2u);
  EXPECT_EQ(listing->gpus[1].ordinal, 1);
  EXPECT_EQ(listing->gpus[1].uuid, "GPU-fafafafa-fafa-fafa-fafa-fafafafafa01");
  EXPECT_EQ(listing->gpus[1].name, "stand-in GPU");
  EXPECT_FALSE(listing->gpus[1].exclusive);
  EXPECT_TRUE(listing->gpus[1].descriptors);
  EXPECT_TRUE(listing->apart.empty());
}

TEST_F(Listing, NamesThePairsThatDoNotReachOneAnother) {
  auto listing = List("no_peer");
  ASSERT_TRUE(listing.ok()) << listing.status();
  ASSERT_EQ(listing->apart.size(), 1u);
  EXPECT_EQ(listing->apart[0], std::make_pair(0, 1));
}

TEST_F(Listing, SaysWhichGpusAreForOneProcessAlone) {
  auto listing = List("exclusive");
  ASSERT_TRUE(listing.ok()) << listing.status();
  EXPECT_TRUE(listing->gpus[0].exclusive);
}

TEST_F(Listing, OfNoGpuIsAnError) {
  EXPECT_EQ(ReasonOf(List("no_gpu").status()), Reason::kNoTransport);
}

}  // namespace
}  // namespace baton::transport::cuda
