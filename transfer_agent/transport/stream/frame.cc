#include "transfer_agent/transport/stream/frame.h"

#include <bit>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/crc32c.h"
#include "common/reason.h"

namespace baton::transport {
namespace {

static_assert(std::endian::native == std::endian::little, "frames are copied as they are");

constexpr uint32_t kMagic = 0x314e5442;        // "BTN1"
constexpr uint32_t kHelloMagic = 0x4854'4e42;  // "BNTH"
constexpr uint8_t kFlagCrc = 1;

// What lies on the wire. Every gap is named, so that no byte is left unset.
struct WireFrame {
  uint32_t magic;
  uint8_t version;
  uint8_t type;
  uint8_t flags;
  uint8_t part;
  uint16_t slot;
  uint16_t generation;
  uint8_t attempt;
  uint8_t last;
  uint16_t groups_out;  // page groups that the chunk leaves out; 0 in the frames of older agents
  uint64_t tokens_total;
  uint64_t tokens_prefix;
  uint64_t token_begin;
  uint64_t token_end;
  uint32_t layer_begin;
  uint32_t layer_end;
  uint64_t offset;
  uint32_t length;
  uint32_t count;
  uint32_t memory;
  uint32_t crc;
  uint64_t serial;
  uint64_t zero1;
};
static_assert(sizeof(WireFrame) == kFrameBytes);

struct WireHello {
  uint32_t magic;
  uint8_t version;
  uint8_t zero0[11];
  std::byte token[kTokenBytes];
  uint8_t zero1[48];
};
static_assert(sizeof(WireHello) == kFrameBytes);

absl::Status Bad(absl::string_view field, uint64_t value) {
  return Error(Reason::kBadMessage, absl::StrCat("frame: ", field, " is ", value));
}

bool HasPayload(FrameType type) { return type == FrameType::kData || type == FrameType::kRuns; }

absl::Status CheckNumbers(const WireFrame& wire, FrameType type) {
  if (wire.part >= kPartsMax) return Bad("part", wire.part);
  if (wire.generation > kGenerationMask) return Bad("generation", wire.generation);
  if (wire.last > 1) return Bad("last", wire.last);
  if (wire.zero1 != 0) return Bad("a reserved field", wire.zero1);
  if (wire.tokens_prefix > wire.tokens_total) return Bad("prefix tokens", wire.tokens_prefix);
  if (wire.token_begin > wire.token_end) return Bad("first token", wire.token_begin);
  if (wire.token_end > wire.tokens_total) return Bad("end token", wire.token_end);
  if (wire.layer_begin > wire.layer_end) return Bad("first layer", wire.layer_begin);
  const uint32_t length_max = type == FrameType::kRuns ? kBatchLengthMax : kFrameLengthMax;
  if (wire.length > length_max) return Bad("length", wire.length);
  if (HasPayload(type) != (wire.length > 0)) return Bad("length", wire.length);
  if (wire.offset > UINT64_MAX - wire.length) return Bad("offset", wire.offset);
  return absl::OkStatus();
}

absl::Status CheckCount(const WireFrame& wire, FrameType type) {
  switch (type) {
    case FrameType::kRuns:
      if (wire.count == 0 || wire.count > kRunsPerFrameMax) return Bad("runs", wire.count);
      return absl::OkStatus();
    case FrameType::kMemory:
      if (wire.count == 0 || wire.count > kRegionsPerMemoryMax) return Bad("regions", wire.count);
      return absl::OkStatus();
    case FrameType::kPages:
      if (wire.count == 0 || wire.count > kPageWordsPerFrameMax) return Bad("words", wire.count);
      return absl::OkStatus();
    case FrameType::kWelcome:
    case FrameType::kData:
    case FrameType::kPart:
    case FrameType::kCancel:
    case FrameType::kForget:
    case FrameType::kAck:
      if (wire.count != 0) return Bad("count", wire.count);
      return absl::OkStatus();
  }
  return Bad("type", wire.type);
}

}  // namespace

void EncodeFrame(const Frame& frame, FrameBuffer* out) {
  WireFrame wire{};
  wire.magic = kMagic;
  wire.version = kFrameVersion;
  wire.type = static_cast<uint8_t>(frame.type);
  wire.flags = frame.has_crc ? kFlagCrc : 0;
  wire.part = frame.part;
  wire.slot = frame.offer.slot;
  wire.generation = frame.offer.generation;
  wire.attempt = frame.attempt;
  wire.last = frame.chunk.last ? 1 : 0;
  wire.tokens_total = frame.tokens.total;
  wire.tokens_prefix = frame.tokens.prefix;
  wire.token_begin = frame.chunk.token_begin;
  wire.token_end = frame.chunk.token_end;
  wire.layer_begin = frame.chunk.layer_begin;
  wire.layer_end = frame.chunk.layer_end;
  wire.groups_out = static_cast<uint16_t>(~frame.chunk.groups);
  wire.offset = frame.offset;
  wire.length = frame.length;
  wire.count = frame.count;
  wire.memory = frame.memory;
  wire.crc = frame.crc;
  wire.serial = frame.serial;
  std::memcpy(out->data(), &wire, sizeof(wire));
}

absl::StatusOr<Frame> ParseFrame(const FrameBuffer& bytes) {
  WireFrame wire;
  std::memcpy(&wire, bytes.data(), sizeof(wire));
  if (wire.magic != kMagic) return Bad("magic", wire.magic);
  if (wire.version != kFrameVersion) return Bad("version", wire.version);
  if (wire.type < 1 || wire.type > static_cast<uint8_t>(FrameType::kPages)) {
    return Bad("type", wire.type);
  }
  if ((wire.flags & ~kFlagCrc) != 0) return Bad("flags", wire.flags);
  const FrameType type = static_cast<FrameType>(wire.type);
  if (absl::Status status = CheckNumbers(wire, type); !status.ok()) return status;
  if (absl::Status status = CheckCount(wire, type); !status.ok()) return status;

  Frame frame;
  frame.type = type;
  frame.has_crc = (wire.flags & kFlagCrc) != 0;
  frame.offer = {.slot = wire.slot, .generation = wire.generation};
  frame.part = wire.part;
  frame.attempt = wire.attempt;
  frame.tokens = {.total = wire.tokens_total, .prefix = wire.tokens_prefix};
  frame.chunk = {.token_begin = wire.token_begin,
                 .token_end = wire.token_end,
                 .layer_begin = wire.layer_begin,
                 .layer_end = wire.layer_end,
                 .last = wire.last != 0,
                 .groups = static_cast<uint16_t>(~wire.groups_out)};
  frame.offset = wire.offset;
  frame.length = wire.length;
  frame.count = wire.count;
  frame.memory = wire.memory;
  frame.crc = wire.crc;
  frame.serial = wire.serial;
  return frame;
}

uint32_t HeaderCrc(const Frame& frame) {
  Frame bare = frame;
  bare.crc = 0;
  FrameBuffer bytes;
  EncodeFrame(bare, &bytes);
  return ExtendCrc32c(0, bytes.data(), bytes.size());
}

void EncodeHello(const Token& token, FrameBuffer* out) {
  WireHello wire{};
  wire.magic = kHelloMagic;
  wire.version = kFrameVersion;
  std::memcpy(wire.token, token.data(), token.size());
  std::memcpy(out->data(), &wire, sizeof(wire));
}

absl::StatusOr<Token> ParseHello(const FrameBuffer& bytes) {
  WireHello wire;
  std::memcpy(&wire, bytes.data(), sizeof(wire));
  if (wire.magic != kHelloMagic) {
    return Error(Reason::kBadMessage, absl::StrCat("hello: magic is ", wire.magic));
  }
  if (wire.version != kFrameVersion) {
    return Error(Reason::kBadMessage, absl::StrCat("hello: version is ", wire.version));
  }
  Token token;
  std::memcpy(token.data(), wire.token, token.size());
  return token;
}

}  // namespace baton::transport
