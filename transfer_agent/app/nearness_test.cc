#include "transfer_agent/app/nearness.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "absl/strings/str_cat.h"
#include "common/reason.h"

namespace baton::agent {
namespace {

namespace fs = std::filesystem;

class NearnessTest : public testing::Test {
 protected:
  NearnessTest() : sysfs_(absl::StrCat(testing::TempDir(), "/sys")) {
    fs::remove_all(sysfs_);
    for (int cpu = 0; cpu < 4; ++cpu) {
      fs::create_directories(
          absl::StrCat(sysfs_, "/devices/system/cpu/cpu", cpu, "/node", cpu / 2));
    }
    const std::string gpu = sysfs_ + "/devices/pci0000:3a/0000:3a:00.0/0000:3b:00.0";
    fs::create_directories(gpu);
    fs::create_directories(sysfs_ + "/bus/pci/devices");
    fs::create_symlink(gpu, sysfs_ + "/bus/pci/devices/0000:3b:00.0");
  }

  const std::string sysfs_;
};

TEST_F(NearnessTest, IsTheNodeOfTheProcessorsWhenTheyAreOfOne) {
  EXPECT_EQ(FindNearness("auto", sysfs_, {2, 3})->numa_node, 1);
  EXPECT_EQ(FindNearness("", sysfs_, {0})->numa_node, 0);
  EXPECT_EQ(FindNearness("auto", sysfs_, {1, 2})->numa_node, -1);
  EXPECT_EQ(FindNearness("auto", sysfs_, {9})->numa_node, -1);
  EXPECT_EQ(FindNearness("auto", sysfs_, {})->numa_node, -1);
}

TEST_F(NearnessTest, IsWhereTheNamedGpuIs) {
  const auto nearness = FindNearness("0000:3b:00.0", sysfs_, {0});
  ASSERT_TRUE(nearness.ok()) << nearness.status();
  EXPECT_EQ(nearness->pci_path, "pci0000:3a/0000:3a:00.0/0000:3b:00.0");
  EXPECT_EQ(nearness->numa_node, -1);
}

TEST_F(NearnessTest, IsNoneOrTheNodeThatWasAskedFor) {
  EXPECT_EQ(FindNearness("none", sysfs_, {0})->numa_node, -1);
  EXPECT_EQ(FindNearness("numa:1", sysfs_, {0})->numa_node, 1);
}

TEST_F(NearnessTest, RefusesWhatTheHostDoesNotHave) {
  for (const char* bad : {"0000:99:00.0", "numa:x", "numa:-1", "../../etc", "gpu"}) {
    EXPECT_EQ(ReasonOf(FindNearness(bad, sysfs_, {0}).status()), Reason::kConfig) << bad;
  }
}

}  // namespace
}  // namespace baton::agent
