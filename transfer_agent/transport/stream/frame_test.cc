#include "transfer_agent/transport/stream/frame.h"

#include <cstring>
#include <functional>
#include <random>
#include <string>

#include "absl/strings/match.h"
#include "common/reason.h"
#include "gtest/gtest.h"

namespace baton::transport {
namespace {

Frame FullFrame() {
  return {.type = FrameType::kData,
          .has_crc = true,
          .offer = {.slot = 65535, .generation = 1023},
          .part = 63,
          .attempt = 255,
          .tokens = {.total = 1ull << 40, .prefix = 1ull << 33},
          .chunk = {.token_begin = 1ull << 34,
                    .token_end = 1ull << 40,
                    .layer_begin = 3,
                    .layer_end = 94,
                    .last = true},
          .offset = 1ull << 42,
          .length = kFrameLengthMax,
          .memory = 77,
          .crc = 0xdeadbeef,
          .serial = 1ull << 50};
}

std::string ParseError(const FrameBuffer& bytes) {
  absl::StatusOr<Frame> frame = ParseFrame(bytes);
  if (frame.ok()) return "accepted";
  EXPECT_EQ(ReasonOf(frame.status()), Reason::kBadMessage);
  return std::string(frame.status().message());
}

// The error for FullFrame() with one change, made before or after it is encoded.
std::string ErrorWith(const std::function<void(Frame*)>& change) {
  Frame frame = FullFrame();
  change(&frame);
  FrameBuffer bytes;
  EncodeFrame(frame, &bytes);
  return ParseError(bytes);
}

std::string ErrorWithByte(size_t at, uint8_t value) {
  FrameBuffer bytes;
  EncodeFrame(FullFrame(), &bytes);
  bytes[at] = static_cast<std::byte>(value);
  return ParseError(bytes);
}

TEST(Frame, ComesBackAsItWasSent) {
  FrameBuffer bytes;
  EncodeFrame(FullFrame(), &bytes);
  absl::StatusOr<Frame> parsed = ParseFrame(bytes);
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(*parsed, FullFrame());
}

TEST(Frame, LiesOnTheWireAsTheDesignPageSays) {
  FrameBuffer bytes;
  EncodeFrame(FullFrame(), &bytes);
  EXPECT_EQ(std::memcmp(bytes.data(), "BTN1", 4), 0);
  EXPECT_EQ(bytes[4], std::byte{kFrameVersion});
  EXPECT_EQ(bytes[5], std::byte{2});
  EXPECT_EQ(bytes[7], std::byte{63});
  EXPECT_EQ(bytes[8], std::byte{0xff});
  EXPECT_EQ(bytes[76], std::byte{0xef});
}

TEST(Frame, RefusesWhatIsOutOfRangeAndNamesIt) {
  EXPECT_TRUE(absl::StrContains(ErrorWithByte(0, 'X'), "magic"));
  EXPECT_TRUE(absl::StrContains(ErrorWithByte(4, 9), "version"));
  EXPECT_TRUE(absl::StrContains(ErrorWithByte(5, 0), "type"));
  EXPECT_TRUE(absl::StrContains(ErrorWithByte(5, 10), "type"));
  EXPECT_TRUE(absl::StrContains(ErrorWithByte(6, 2), "flags"));
  EXPECT_TRUE(absl::StrContains(ErrorWithByte(7, 64), "part"));
  EXPECT_TRUE(absl::StrContains(ErrorWithByte(11, 4), "generation"));
  EXPECT_TRUE(absl::StrContains(ErrorWithByte(13, 2), "last"));
  EXPECT_TRUE(absl::StrContains(ErrorWithByte(95, 1), "reserved"));
  EXPECT_TRUE(absl::StrContains(ErrorWith([](Frame* f) { f->tokens.prefix = f->tokens.total + 1; }),
                                "prefix tokens"));
  EXPECT_TRUE(absl::StrContains(
      ErrorWith([](Frame* f) { f->chunk.token_begin = f->chunk.token_end + 1; }), "first token"));
  EXPECT_TRUE(absl::StrContains(
      ErrorWith([](Frame* f) { f->chunk.token_end = f->tokens.total + 1; }), "end token"));
  EXPECT_TRUE(
      absl::StrContains(ErrorWith([](Frame* f) { f->chunk.layer_begin = 95; }), "first layer"));
  EXPECT_TRUE(
      absl::StrContains(ErrorWith([](Frame* f) { f->length = kFrameLengthMax + 1; }), "length"));
  EXPECT_TRUE(absl::StrContains(ErrorWith([](Frame* f) { f->length = 0; }), "length"));
  EXPECT_TRUE(absl::StrContains(ErrorWith([](Frame* f) { f->type = FrameType::kPart; }), "length"));
  EXPECT_TRUE(absl::StrContains(ErrorWith([](Frame* f) { f->offset = UINT64_MAX - 5; }), "offset"));
  EXPECT_TRUE(absl::StrContains(ErrorWith([](Frame* f) { f->count = 1; }), "count"));
  EXPECT_TRUE(absl::StrContains(ErrorWith([](Frame* f) { f->type = FrameType::kRuns; }), "runs"));
  EXPECT_TRUE(absl::StrContains(ErrorWith([](Frame* f) {
                                  f->type = FrameType::kRuns;
                                  f->count = kRunsPerFrameMax + 1;
                                }),
                                "runs"));
  EXPECT_TRUE(absl::StrContains(ErrorWith([](Frame* f) {
                                  f->type = FrameType::kMemory;
                                  f->length = 0;
                                  f->count = kRegionsPerMemoryMax + 1;
                                }),
                                "regions"));
}

TEST(Frame, NeverAcceptsRandomBytesThatItWouldNotHaveSent) {
  std::mt19937_64 random(20);
  int accepted = 0;
  for (int i = 0; i < 200'000; ++i) {
    FrameBuffer bytes;
    EncodeFrame(FullFrame(), &bytes);
    for (uint64_t n = random() % 6; n > 0; --n) {
      bytes[random() % bytes.size()] = static_cast<std::byte>(random());
    }
    absl::StatusOr<Frame> frame = ParseFrame(bytes);
    if (!frame.ok()) continue;
    ++accepted;
    FrameBuffer again;
    EncodeFrame(*frame, &again);
    ASSERT_EQ(again, bytes);
  }
  EXPECT_GT(accepted, 1000) << "the changes were too rough to test anything";
}

TEST(Frame, ChecksumCoversEveryFieldOfTheHeader) {
  Frame frame = FullFrame();
  const uint32_t crc = HeaderCrc(frame);
  frame.crc = 1;
  EXPECT_EQ(HeaderCrc(frame), crc) << "the checksum's own field does not count";
  frame.offer.slot = 1;
  EXPECT_NE(HeaderCrc(frame), crc);
}

TEST(Hello, CarriesATokenAndNothingElseIsOne) {
  Token token;
  for (size_t i = 0; i < token.size(); ++i) token[i] = static_cast<std::byte>(i);
  FrameBuffer bytes;
  EncodeHello(token, &bytes);
  absl::StatusOr<Token> parsed = ParseHello(bytes);
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(*parsed, token);
  EXPECT_FALSE(ParseFrame(bytes).ok());
  bytes[4] = std::byte{2};
  EXPECT_FALSE(ParseHello(bytes).ok());
  EncodeFrame(FullFrame(), &bytes);
  EXPECT_FALSE(ParseHello(bytes).ok());
}

}  // namespace
}  // namespace baton::transport
