#include "common/shm_abi/command_codec.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <random>

#include "common/reason.h"
#include "common/shm_abi/command_records.h"

namespace baton::shm_abi {
namespace {

using ::testing::HasSubstr;

constexpr uint32_t kSlots = 8;
constexpr uint32_t kPeers = 3;

absl::StatusOr<Command> Decode(EntryKind kind, const std::string& bytes) {
  return DecodeCommand(
      kind, absl::MakeConstSpan(reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()),
      {kSlots, kPeers});
}

OpenReceive FullOpenReceive() {
  OpenReceive open;
  open.slot = {7, 0xffffffff};
  open.room = {UINT64_MAX, 0};
  open.prefill_server = "prefill-a";
  open.prefill_dp = 3;
  open.tp_holder = 2;
  open.total_tokens = 1 << 20;
  open.prefix_tokens = 64;
  open.time_left_ms = 1234;
  open.pages = {{1, 2, 3}, {}, {INT32_MAX, 0}};
  open.state_rows = {5, 6};
  open.aux_row = 9;
  return open;
}

Send FullSend() {
  Send send;
  send.slot = {3, 2};
  send.token_begin = 64;
  send.token_end = 128;
  send.layer_begin = 4;
  send.layer_end = 8;
  send.last = true;
  send.pages = {{10, 11}, {-1}};
  send.state_rows = {1};
  send.aux_row = 2;
  send.page_groups = 0x8001;
  return send;
}

TEST(CommandCodec, BringsEveryFieldOfOpenSendBack) {
  OpenSend in{{1, 2}, {0, 7}, 99, 5000};
  auto out = Decode(EntryKind::kOpenSend, EncodeCommand(in));
  ASSERT_TRUE(out.ok()) << out.status();
  const auto& got = std::get<OpenSend>(*out);
  EXPECT_EQ(got.slot, in.slot);
  EXPECT_EQ(got.room, in.room);
  EXPECT_EQ(got.total_tokens, 99u);
  EXPECT_EQ(got.time_left_ms, 5000u);
  in.total_tokens.reset();
  out = Decode(EntryKind::kOpenSend, EncodeCommand(in));
  ASSERT_TRUE(out.ok()) << out.status();
  EXPECT_EQ(std::get<OpenSend>(*out).total_tokens, std::nullopt);
}

TEST(CommandCodec, BringsEveryFieldOfOpenReceiveBack) {
  OpenReceive in = FullOpenReceive();
  auto out = Decode(EntryKind::kOpenReceive, EncodeCommand(in));
  ASSERT_TRUE(out.ok()) << out.status();
  const auto& got = std::get<OpenReceive>(*out);
  EXPECT_EQ(got.slot, in.slot);
  EXPECT_EQ(got.room, in.room);
  EXPECT_EQ(got.prefill_server, in.prefill_server);
  EXPECT_EQ(got.prefill_dp, in.prefill_dp);
  EXPECT_EQ(got.tp_holder, in.tp_holder);
  EXPECT_EQ(got.cp_holder, in.cp_holder);
  EXPECT_EQ(got.total_tokens, in.total_tokens);
  EXPECT_EQ(got.prefix_tokens, in.prefix_tokens);
  EXPECT_EQ(got.time_left_ms, in.time_left_ms);
  EXPECT_EQ(got.pages, in.pages);
  EXPECT_EQ(got.state_rows, in.state_rows);
  EXPECT_EQ(got.aux_row, in.aux_row);
}

TEST(CommandCodec, TellsAnUnknownDpRankFromDpRankZero) {
  OpenReceive in = FullOpenReceive();
  in.prefill_dp.reset();
  auto unknown = Decode(EntryKind::kOpenReceive, EncodeCommand(in));
  in.prefill_dp = 0;
  auto zero = Decode(EntryKind::kOpenReceive, EncodeCommand(in));
  ASSERT_TRUE(unknown.ok() && zero.ok());
  EXPECT_EQ(std::get<OpenReceive>(*unknown).prefill_dp, std::nullopt);
  EXPECT_EQ(std::get<OpenReceive>(*zero).prefill_dp, std::optional<uint32_t>(0));
}

TEST(CommandCodec, BringsEveryFieldOfSendAbortAndCloseBack) {
  Send in = FullSend();
  auto out = Decode(EntryKind::kSend, EncodeCommand(in));
  ASSERT_TRUE(out.ok()) << out.status();
  const auto& got = std::get<Send>(*out);
  EXPECT_EQ(got.slot, in.slot);
  EXPECT_EQ(got.token_begin, in.token_begin);
  EXPECT_EQ(got.token_end, in.token_end);
  EXPECT_EQ(got.layer_begin, in.layer_begin);
  EXPECT_EQ(got.layer_end, in.layer_end);
  EXPECT_TRUE(got.last);
  EXPECT_EQ(got.pages, in.pages);
  EXPECT_EQ(got.state_rows, in.state_rows);
  EXPECT_EQ(got.aux_row, in.aux_row);
  EXPECT_EQ(got.page_groups, 0x8001);

  auto abort = Decode(EntryKind::kAbort, EncodeCommand(Abort{{1, 1}, "client went away"}));
  ASSERT_TRUE(abort.ok()) << abort.status();
  EXPECT_EQ(std::get<Abort>(*abort).why, "client went away");
  auto close = Decode(EntryKind::kClose, EncodeCommand(Close{{6, 5}}));
  ASSERT_TRUE(close.ok()) << close.status();
  EXPECT_EQ(std::get<Close>(*close).slot, (SlotRef{6, 5}));
}

TEST(CommandCodec, BringsEveryFieldOfWatchPeerAndForgetPeerBack) {
  auto watch = Decode(EntryKind::kWatchPeer, EncodeCommand(WatchPeer{{2, 9}, "10.0.0.1:8998"}));
  ASSERT_TRUE(watch.ok()) << watch.status();
  EXPECT_EQ(std::get<WatchPeer>(*watch).peer, (PeerRef{2, 9}));
  EXPECT_EQ(std::get<WatchPeer>(*watch).server, "10.0.0.1:8998");
  auto forget = Decode(EntryKind::kForgetPeer, EncodeCommand(ForgetPeer{{1, 5}}));
  ASSERT_TRUE(forget.ok()) << forget.status();
  EXPECT_EQ(std::get<ForgetPeer>(*forget).peer, (PeerRef{1, 5}));
}

TEST(CommandCodec, BringsAnAnnouncementAndWhatIsProvidedBack) {
  OpenReceive announced = FullOpenReceive();
  announced.announced = true;
  auto open = Decode(EntryKind::kOpenReceive, EncodeCommand(announced));
  ASSERT_TRUE(open.ok()) << open.status();
  EXPECT_TRUE(std::get<OpenReceive>(*open).announced);
  const Provide in{{3, 4}, 1 << 20, 64, {{1, 2}, {}, {7}}, {5, 6}, 9};
  auto out = Decode(EntryKind::kProvide, EncodeCommand(in));
  ASSERT_TRUE(out.ok()) << out.status();
  const auto& got = std::get<Provide>(*out);
  EXPECT_EQ(got.slot, in.slot);
  EXPECT_EQ(got.total_tokens, in.total_tokens);
  EXPECT_EQ(got.prefix_tokens, in.prefix_tokens);
  EXPECT_EQ(got.pages, in.pages);
  EXPECT_EQ(got.state_rows, in.state_rows);
  EXPECT_EQ(got.aux_row, in.aux_row);
}

TEST(CommandCodec, RefusesAPeerOutsideTheTableAndOneWithoutAName) {
  auto refusal = [](EntryKind kind, const Command& command) {
    return std::string(Decode(kind, EncodeCommand(command)).status().message());
  };
  EXPECT_THAT(refusal(EntryKind::kWatchPeer, WatchPeer{{kPeers, 1}, "p"}),
              HasSubstr("peer is 3, not below 3"));
  EXPECT_THAT(refusal(EntryKind::kForgetPeer, ForgetPeer{{0, 0}}), HasSubstr("generation"));
  EXPECT_THAT(refusal(EntryKind::kWatchPeer, WatchPeer{{0, 1}, ""}),
              HasSubstr("server name bytes is 0"));
}

TEST(CommandCodec, RefusesEveryTruncationAndEveryByteTooMany) {
  const std::vector<Command> commands = {OpenSend{{1, 2}, {3, 4}, 5, 6},
                                         FullOpenReceive(),
                                         FullSend(),
                                         Abort{{1, 1}, "why"},
                                         Close{{1, 1}},
                                         WatchPeer{{1, 1}, "p"},
                                         ForgetPeer{{1, 1}},
                                         Provide{{1, 1}, 5, 0, {{1, 2}}, {3}, 4}};
  for (const Command& command : commands) {
    std::string whole = EncodeCommand(command);
    EntryKind kind = KindOf(command);
    ASSERT_TRUE(Decode(kind, whole).ok());
    for (size_t n = 0; n < whole.size(); ++n) {
      EXPECT_EQ(ReasonOf(Decode(kind, whole.substr(0, n)).status()), Reason::kBadMessage) << n;
    }
    EXPECT_THAT(Decode(kind, whole + '\0').status().message(), HasSubstr("left over"));
  }
}

TEST(CommandCodec, RefusesASlotOutsideTheTableAndGenerationZero) {
  EXPECT_THAT(Decode(EntryKind::kClose, EncodeCommand(Close{{kSlots, 1}})).status().message(),
              HasSubstr("slot is 8, not below 8"));
  EXPECT_THAT(Decode(EntryKind::kClose, EncodeCommand(Close{{0, 0}})).status().message(),
              HasSubstr("generation"));
  Send send = FullSend();
  send.slot.slot = UINT32_MAX;
  EXPECT_FALSE(Decode(EntryKind::kSend, EncodeCommand(send)).ok());
}

TEST(CommandCodec, RefusesPageCountsWhoseSumOverflows) {
  std::string bytes(sizeof(SendRecord) + 16 * 4, '\xff');
  SendRecord record = {};
  record.generation = 1;
  record.groups = 16;
  memcpy(bytes.data(), &record, sizeof(record));
  EXPECT_THAT(Decode(EntryKind::kSend, bytes).status().message(), HasSubstr("pages is"));
  // Counts that are allowed, but not there, allocate nothing.
  uint32_t count = kPagesMax;
  record.groups = 1;
  bytes.resize(sizeof(SendRecord) + 4);
  memcpy(bytes.data(), &record, sizeof(record));
  memcpy(bytes.data() + sizeof(record), &count, 4);
  EXPECT_THAT(Decode(EntryKind::kSend, bytes).status().message(), HasSubstr("past its end"));
}

TEST(CommandCodec, RefusesUnknownKindsAndValuesOutsideTheirEnums) {
  EXPECT_THAT(Decode(static_cast<EntryKind>(99), "").status().message(), HasSubstr("99"));
  EXPECT_FALSE(Decode(EntryKind::kWrap, "").ok());
  OpenReceive open = FullOpenReceive();
  open.cp_holder = 3;
  EXPECT_THAT(Decode(EntryKind::kOpenReceive, EncodeCommand(open)).status().message(),
              HasSubstr("cp_holder is 3"));
  open = FullOpenReceive();
  open.prefill_server = "";
  EXPECT_FALSE(Decode(EntryKind::kOpenReceive, EncodeCommand(open)).ok());
}

TEST(CommandCodec, CleansTextsThatAreNotUtf8) {
  auto abort = Decode(EntryKind::kAbort, EncodeCommand(Abort{{1, 1}, "bad \xff\n"}));
  ASSERT_TRUE(abort.ok()) << abort.status();
  EXPECT_EQ(std::get<Abort>(*abort).why, "bad ??");
}

TEST(CommandCodec, NamesTheLimitThatACallExceeds) {
  Send head;
  std::vector<absl::Span<const int32_t>> groups(kPageGroupsMax + 1);
  EXPECT_THAT(CheckLimits(SendView{head, groups, {}}).message(), HasSubstr("17 page groups"));
  std::vector<uint32_t> rows(kStateRowsMax + 1);
  EXPECT_THAT(CheckLimits(SendView{head, {}, rows}).message(), HasSubstr("65 state rows"));
  std::vector<int32_t> pages(kPagesMax);
  groups = {pages, absl::MakeConstSpan(pages).subspan(0, 1)};
  EXPECT_THAT(CheckLimits(SendView{head, groups, {}}).message(), HasSubstr("1048577 pages"));
  OpenReceive open;
  EXPECT_THAT(CheckLimits(OpenReceiveView{open, std::string(256, 'a'), {}, {}}).message(),
              HasSubstr("server name"));
}

// Whatever decodes encodes to the same bytes again, but for reserved fields and absent options:
// decoding twice must agree.
TEST(CommandCodec, DecodesRandomBytesOrRefusesThemButNeverHarms) {
  std::mt19937_64 random(20240607);
  int accepted = 0;
  const std::vector<Command> seeds = {OpenSend{{1, 2}, {3, 4}, 5, 6},
                                      FullOpenReceive(),
                                      FullSend(),
                                      Abort{{1, 1}, "why"},
                                      Close{{1, 1}},
                                      WatchPeer{{1, 1}, "prefill-a"},
                                      ForgetPeer{{2, 3}},
                                      Provide{{1, 1}, 5, 0, {{1, 2}}, {3}, 4}};
  for (int round = 0; round < 200000; ++round) {
    const Command& seed = seeds[random() % seeds.size()];
    std::string bytes = EncodeCommand(seed);
    for (uint64_t flips = random() % 4; flips > 0; --flips) {
      bytes[random() % bytes.size()] ^= static_cast<char>(1 << (random() % 8));
    }
    if (random() % 8 == 0) bytes.resize(random() % (bytes.size() + 8));
    auto first = Decode(KindOf(seed), bytes);
    if (!first.ok()) continue;
    ++accepted;
    auto again = Decode(KindOf(*first), EncodeCommand(*first));
    ASSERT_TRUE(again.ok()) << again.status();
    ASSERT_EQ(EncodeCommand(*first), EncodeCommand(*again));
  }
  EXPECT_GT(accepted, 1000);
}

}  // namespace
}  // namespace baton::shm_abi
