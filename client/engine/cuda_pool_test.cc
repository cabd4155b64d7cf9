// Against the stand-in for the driver; cuda_pool_gpu_test does it with a GPU.
#include "client/engine/cuda_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include "client/engine/testing/attach_dma_buf.h"
#include "client/engine/testing/stand_in_gpu.h"
#include "common/reason.h"
#include "transfer_agent/attach/testing/small_rank.h"

namespace baton {
namespace {

using ::testing::HasSubstr;
using Kind = DeviceShare::Kind;

constexpr uint64_t kPage = 4096;
constexpr uint64_t kBytes = 1 << 20;

class CudaPools : public ::testing::Test {
 protected:
  ~CudaPools() override { unsetenv("FAKE_CUDA"); }

  static absl::StatusOr<CudaPool> Export(uint64_t address, uint64_t size, const char* how = "") {
    setenv("FAKE_CUDA", how, 1);
    return ExportCudaPool(address, size, kStandInDriver);
  }

  static void ExpectRefused(const absl::StatusOr<CudaPool>& pool, Reason reason,
                            const std::string& text) {
    ASSERT_FALSE(pool.ok());
    EXPECT_EQ(ReasonOf(pool.status()), reason) << pool.status();
    EXPECT_THAT(pool.status().message(), HasSubstr(text));
  }

  StandInGpu gpu_{1};
  const uint64_t base_ = gpu_.Allocate(kBytes);
};

TEST_F(CudaPools, OfCudaMallocHaveADmaBufAndAHandleWithTheirPlaceInTheAllocation) {
  absl::StatusOr<CudaPool> pool = Export(base_ + kPage, attach::kSmallPoolBytes);
  ASSERT_TRUE(pool.ok()) << pool.status();
  EXPECT_TRUE(pool->device_orders_writes);
  EXPECT_EQ(pool->missing, "");
  EXPECT_EQ(pool->share.kind, Kind::kIpc);
  EXPECT_EQ(pool->share.offset, kPage);
  EXPECT_EQ(pool->share.allocation_bytes, kBytes);
  EXPECT_EQ(pool->share.device[15], 1) << "of another GPU";
  ExpectTakenOver(*pool);
}

TEST_F(CudaPools, OfTheDriversOwnAllocationsHaveADescriptorOfTheirs) {
  absl::StatusOr<CudaPool> pool = Export(gpu_.Map(kBytes) + kPage, attach::kSmallPoolBytes);
  ASSERT_TRUE(pool.ok()) << pool.status();
  EXPECT_EQ(pool->share.kind, Kind::kVmm);
  EXPECT_EQ(pool->share.offset, kPage);
  EXPECT_EQ(lseek(pool->allocation.get(), 0, SEEK_END), static_cast<off_t>(kBytes));
  ExpectTakenOver(*pool);
}

TEST_F(CudaPools, OfADeviceWithoutDmaBufsHaveTheirHandleAloneAndSayWhy) {
  absl::StatusOr<CudaPool> pool = Export(base_, attach::kSmallPoolBytes, "no_dma_buf");
  ASSERT_TRUE(pool.ok()) << pool.status();
  EXPECT_LT(pool->dma_buf.get(), 0);
  EXPECT_THAT(pool->missing, HasSubstr("no dma-buf for RDMA devices: GPU 1 exports none"));
  EXPECT_THAT(pool->missing, HasSubstr("open kernel modules"));
  ExpectTakenOver(*pool);
}

TEST_F(CudaPools, ThatTheDriverDoesNotLendHaveTheirDmaBufAloneAndSayWhy) {
  absl::StatusOr<CudaPool> pool = Export(base_, attach::kSmallPoolBytes, "no_ipc");
  ASSERT_TRUE(pool.ok()) << pool.status();
  EXPECT_EQ(pool->share.kind, Kind::kNone);
  EXPECT_THAT(pool->missing, HasSubstr("no CUDA handle for other processes of this host: the "
                                       "driver says CUDA_ERROR_INVALID_VALUE"));
  EXPECT_THAT(pool->missing, HasSubstr("cudaMallocAsync"));
  ExpectTakenOver(*pool);
}

TEST_F(CudaPools, OfADeviceThatOrdersNothingAskForTheFlush) {
  absl::StatusOr<CudaPool> pool = Export(base_, kPage, "unordered");
  ASSERT_TRUE(pool.ok()) << pool.status();
  EXPECT_FALSE(pool->device_orders_writes);
}

TEST_F(CudaPools, HaveADmaBufOnlyWhereTheyStartAndEndAtAPage) {
  for (auto [begin, size] : {std::make_pair(base_ + 512, kPage), {base_, kPage + 100}}) {
    absl::StatusOr<CudaPool> pool = Export(begin, size);
    ASSERT_TRUE(pool.ok()) << pool.status();
    EXPECT_LT(pool->dma_buf.get(), 0);
    EXPECT_EQ(pool->share.offset, begin - base_);
    EXPECT_THAT(pool->missing, HasSubstr("multiples of the page size, 4096"));
  }
}

TEST_F(CudaPools, OfMoreThanOneAllocationAreRefused) {
  ExpectRefused(Export(base_, kBytes + kPage), Reason::kBadRegion,
                "more than one allocation, the first of 1048576 bytes");
}

TEST_F(CudaPools, ThatAreNoDeviceMemoryAreRefusedInTheDriversWords) {
  ExpectRefused(Export(kPage, kPage), Reason::kBadRegion, "CUDA_ERROR_INVALID_VALUE");
  ExpectRefused(Export(kPage, kPage), Reason::kBadRegion, "it is no memory of a GPU");
  ExpectRefused(Export(kPage, 0), Reason::kBadRegion, "without bytes");
}

TEST_F(CudaPools, NeedTheContextOfTheirDevice) {
  ExpectRefused(Export(base_, kPage, "no_context"), Reason::kBadRegion, "no CUDA context");
}

TEST_F(CudaPools, NeedADriver) {
  ExpectRefused(ExportCudaPool(base_, kPage, "libno_such_driver.so.1"), Reason::kNoTransport,
                "libno_such_driver.so.1");
}

TEST_F(CudaPools, NeedADriverThatKnowsDmaBufs) {
  ExpectRefused(ExportCudaPool(base_, kPage, "libc.so.6"), Reason::kNoTransport, "older than 11.7");
}

}  // namespace
}  // namespace baton
