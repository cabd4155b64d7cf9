// The spec and the layout of a rank, as an engine brings them at its attach: two messages one after
// the other. What passes the checks must name no byte outside its regions.
#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "baton/v1/layout.pb.h"
#include "common/log.h"
#include "planner/layout_proto.h"
#include "planner/plan.h"

namespace {

constexpr uint64_t kRegionBytes = uint64_t{1} << 30;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const size_t cut = std::min<size_t>(data[0] | data[1] << 8, size - 2);
  baton::v1::ServerSpec spec_message;
  baton::v1::RankLayout layout_message;
  if (!spec_message.ParseFromArray(data + 2, static_cast<int>(cut))) return 0;
  if (!layout_message.ParseFromArray(data + 2 + cut, static_cast<int>(size - 2 - cut))) return 0;
  auto spec = baton::planner::FromProto(spec_message);
  auto layout = baton::planner::FromProto(layout_message);
  if (!spec.ok() || !layout.ok() || !baton::planner::ValidateSpec(*spec).ok()) return 0;
  const absl::Status valid =
      baton::planner::ValidateLayout(*spec, {0, 0, 0, 0}, *layout, {kRegionBytes, kRegionBytes});
  if (!valid.ok()) return 0;
  for (const auto& buffer : layout->buffers) {
    CHECK_LT(buffer.region, 2u);
    CHECK_LT(buffer.offset, kRegionBytes);
  }
  return 0;
}
