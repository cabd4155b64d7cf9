// Against a stand-in for the driver; cuda_pool_gpu_test does it with a GPU.
#include "client/engine/cuda_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include "client/engine/testing/attach_dma_buf.h"
#include "common/reason.h"
#include "transfer_agent/attach/testing/small_rank.h"

namespace baton {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kBase = 0x7f0000000000;
constexpr uint64_t kPage = 4096;

class CudaPools : public ::testing::Test {
 protected:
  ~CudaPools() override { unsetenv("FAKE_CUDA"); }

  static absl::StatusOr<CudaPool> Export(uint64_t address, uint64_t size, const char* how = "") {
    setenv("FAKE_CUDA", how, 1);
    return ExportCudaPool(address, size, "client/engine/testing/libfake_cuda.so");
  }

  static void ExpectRefused(const absl::StatusOr<CudaPool>& pool, Reason reason,
                            const std::string& text) {
    ASSERT_FALSE(pool.ok());
    EXPECT_EQ(ReasonOf(pool.status()), reason) << pool.status();
    EXPECT_THAT(pool.status().message(), HasSubstr(text));
  }
};

TEST_F(CudaPools, AreTakenOverByAnAgentWithTheSizeOfTheirRange) {
  absl::StatusOr<CudaPool> pool = Export(kBase + kPage, attach::kSmallPoolBytes);
  ASSERT_TRUE(pool.ok()) << pool.status();
  EXPECT_TRUE(pool->device_orders_writes);
  ExpectTakenOver(*pool);
}

TEST_F(CudaPools, OfADeviceThatOrdersNothingAskForTheFlush) {
  absl::StatusOr<CudaPool> pool = Export(kBase, kPage, "unordered");
  ASSERT_TRUE(pool.ok()) << pool.status();
  EXPECT_FALSE(pool->device_orders_writes);
}

TEST_F(CudaPools, MustStartAndEndAtAPage) {
  ExpectRefused(Export(kBase + 512, kPage), Reason::kBadRegion, "0x7f0000000200");
  ExpectRefused(Export(kBase, kPage + 100), Reason::kBadRegion, "4196 bytes");
  ExpectRefused(Export(kBase, 0), Reason::kBadRegion, "multiples of the page size, 4096");
}

TEST_F(CudaPools, ThatAreNoDeviceMemoryAreRefusedInTheDriversWords) {
  ExpectRefused(Export(kPage, kPage), Reason::kBadRegion, "CUDA_ERROR_INVALID_VALUE");
}

TEST_F(CudaPools, NeedTheContextOfTheirDevice) {
  ExpectRefused(Export(kBase, kPage, "no_context"), Reason::kBadRegion, "no CUDA context");
}

TEST_F(CudaPools, NeedADeviceThatExports) {
  ExpectRefused(Export(kBase, kPage, "no_dma_buf"), Reason::kNoTransport, "open kernel modules");
}

TEST_F(CudaPools, NeedADriver) {
  ExpectRefused(ExportCudaPool(kBase, kPage, "libno_such_driver.so.1"), Reason::kNoTransport,
                "libno_such_driver.so.1");
}

TEST_F(CudaPools, NeedADriverThatKnowsDmaBufs) {
  ExpectRefused(ExportCudaPool(kBase, kPage, "libc.so.6"), Reason::kNoTransport, "older than 11.7");
}

}  // namespace
}  // namespace baton
