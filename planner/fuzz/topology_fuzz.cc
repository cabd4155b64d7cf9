// A topology as text, as `batonctl plan explain` and the announcements of peers bring it: whatever
// is understood must come back the same from its message.
#include <google/protobuf/text_format.h>

#include <cstddef>
#include <cstdint>
#include <string>

#include "baton/v1/topology.pb.h"
#include "common/log.h"
#include "planner/layout_proto.h"
#include "planner/plan.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  google::protobuf::SetLogHandler(nullptr);
  baton::v1::Topology topology;
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (!google::protobuf::TextFormat::ParseFromString(text, &topology)) return 0;
  auto spec = baton::planner::FromProto(topology.spec());
  if (!spec.ok() || !baton::planner::ValidateSpec(*spec).ok()) return 0;
  auto again = baton::planner::FromProto(baton::planner::ToProto(*spec));
  CHECK(again.ok()) << again.status();
  CHECK(*again == *spec) << text;
  return 0;
}
