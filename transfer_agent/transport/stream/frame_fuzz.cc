// What a peer may send on a data connection: a header that parses is written again as it was.
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "transfer_agent/transport/stream/frame.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using baton::transport::Frame;
  using baton::transport::FrameBuffer;
  if (size < baton::transport::kFrameBytes) return 0;
  FrameBuffer bytes;
  std::memcpy(bytes.data(), data, bytes.size());
  absl::StatusOr<Frame> frame = baton::transport::ParseFrame(bytes);
  if (frame.ok()) {
    FrameBuffer again;
    baton::transport::EncodeFrame(*frame, &again);
    if (again != bytes) abort();
  }
  baton::transport::ParseHello(bytes).status().IgnoreError();
  return 0;
}
