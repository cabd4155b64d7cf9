// The C ABI against the real attach server, in one process.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <string>
#include <vector>

#include "client/c/baton.h"
#include "common/mutex.h"
#include "tests/support/eventually.h"
#include "transfer_agent/attach/testing/small_rank.h"
#include "transfer_agent/attach/testing/test_agent.h"

namespace baton {
namespace {

using attach::kSmallPageBytes;
using attach::kSmallPages;
using attach::kSmallPoolBytes;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

template <typename Struct>
Struct Sized() {
  Struct value{};
  value.struct_size = sizeof(value);
  return value;
}

// The same rank as attach::SmallSpec and SmallLayout, in the structs of the ABI.
struct SmallOptions {
  SmallOptions(const std::string& socket_path, uint32_t role, int pool_fd) : socket(socket_path) {
    for (uint32_t i = 0; i < 2; ++i) {
      tensors[i].struct_size = sizeof(baton_tensor);
      tensors[i].kind = i == 0 ? BATON_KIND_K : BATON_KIND_V;
      tensors[i].dtype = "bf16";
      tensors[i].layers = &layer;
      tensors[i].layer_count = 1;
      tensors[i].heads = 2;
      tensors[i].head_bytes = 32;
      tensors[i].tp_sharded = 1;
      buffers[i].struct_size = sizeof(baton_buffer);
      buffers[i].tensor = i;
      buffers[i].offset = uint64_t{i} * kSmallPages * kSmallPageBytes;
      buffers[i].pages = kSmallPages;
      buffers[i].page_stride = kSmallPageBytes;
      buffers[i].entry_stride = 64;
      buffers[i].head_stride = 32;
    }
    spec.sizes = {1, 1, 1, 1};
    spec.stages = &stage;
    spec.stage_count = 1;
    spec.page_groups = &group;
    spec.page_group_count = 1;
    spec.tensors = tensors.data();
    spec.tensor_count = tensors.size();
    region.fd = pool_fd;
    region.bytes = kSmallPoolBytes;
    region.name = "kv";
    options.role = role;
    options.agent_socket = socket.c_str();
    options.server = role == BATON_ROLE_PREFILL ? "prefill-a" : "decode-a";
    options.launch_id = "1";
    options.model = "small";
    options.spec = &spec;
    options.buffers = buffers.data();
    options.buffer_count = buffers.size();
    options.regions = &region;
    options.region_count = 1;
    options.slots = 8;
    options.ring_bytes = 64 << 10;
  }
  SmallOptions(const SmallOptions&) = delete;

  std::string socket;
  uint32_t layer = 0;
  baton_stage stage{&layer, 1};
  baton_page_group group{sizeof(baton_page_group), 16, 0, 0};
  std::array<baton_tensor, 2> tensors{};
  std::array<baton_buffer, 2> buffers{};
  baton_spec spec = Sized<baton_spec>();
  baton_region region = Sized<baton_region>();
  baton_options options = Sized<baton_options>();
};

class CAbi : public ::testing::Test {
 protected:
  CAbi() : agent_(Options()) {
    EXPECT_EQ(baton_pool_create("kv", kSmallPoolBytes, &pool_, &error_), BATON_OK) << error_.text;
    baton_pool_get_info(pool_, &info_);
  }
  ~CAbi() override {
    baton_detach(client_);
    baton_pool_free(pool_);
  }

  attach::AttachOptions Options() {
    attach::AttachOptions options;
    options.socket_path = folder_.socket();
    options.epoch = Epoch(11);
    options.version = "test";
    return options;
  }

  void Start(uint32_t role) {
    ASSERT_TRUE(agent_.Start().ok());
    SmallOptions small(folder_.socket(), role, info_.fd);
    ASSERT_EQ(baton_attach(&small.options, &client_, &error_), BATON_OK) << error_.text;
  }

  baton_code AttachWith(const SmallOptions& small) {
    return baton_attach(&small.options, &client_, &error_);
  }

  baton_room_status Poll(baton_room room) {
    baton_room_status status{};
    baton_poll(client_, &room, 1, &status);
    return status;
  }
  bool Reaches(baton_room room, uint8_t phase) {
    return Eventually([&] { return Poll(room).phase == phase; });
  }

  baton_room OpenReceive(uint64_t id) {
    static constexpr std::array<int32_t, 1> kPages = {3};
    baton_pages pages{kPages.data(), kPages.size()};
    auto receive = Sized<baton_receive_room>();
    receive.room_id = id;
    receive.prefill_server = "prefill-a";
    receive.total_tokens = 16;
    receive.pages = &pages;
    receive.page_group_count = 1;
    baton_room room{};
    EXPECT_EQ(baton_open_receive(client_, &receive, &room, &error_), BATON_OK) << error_.text;
    return room;
  }

  attach::SocketFolder folder_;
  attach::TestAgent agent_;
  baton_pool* pool_ = nullptr;
  baton_pool_info info_ = Sized<baton_pool_info>();
  baton_client* client_ = nullptr;
  baton_error error_ = Sized<baton_error>();
};

TEST_F(CAbi, ASourceOpensIsOfferedSendsAndIsDone) {
  Start(BATON_ROLE_PREFILL);
  EXPECT_EQ(baton_attached(client_), 1);
  EXPECT_EQ(baton_agent_epoch(client_), 11u);
  auto send = Sized<baton_send_room>();
  send.room_id = 1;
  send.total_tokens = 16;
  baton_room room{};
  ASSERT_EQ(baton_open_send(client_, &send, &room, &error_), BATON_OK) << error_.text;
  ASSERT_TRUE(Reaches(room, BATON_PHASE_OFFERED));
  EXPECT_EQ(Poll(room).prefix_tokens, 7u);
  const int32_t page = 5;
  baton_pages pages{&page, 1};
  auto chunk = Sized<baton_chunk>();
  chunk.token_end = 16;
  chunk.is_last_chunk = 1;
  chunk.pages = &pages;
  chunk.page_group_count = 1;
  ASSERT_EQ(baton_send(client_, room, &chunk, &error_), BATON_OK) << error_.text;
  ASSERT_TRUE(Reaches(room, BATON_PHASE_DONE));
  EXPECT_EQ(Poll(room).released, 1);
  EXPECT_EQ(baton_cause(client_, room, &error_), BATON_OK);
  baton_close(client_, room);
  EXPECT_EQ(Poll(room).phase, BATON_PHASE_CLOSED);
}

TEST_F(CAbi, ManyRoomsArePolledInOneCall) {
  Start(BATON_ROLE_DECODE);
  std::vector<baton_room> rooms = {OpenReceive(1), OpenReceive(2), OpenReceive(3)};
  for (baton_room room : rooms) ASSERT_TRUE(Reaches(room, BATON_PHASE_DONE));
  baton_close(client_, rooms[1]);
  std::vector<baton_room_status> statuses(rooms.size());
  baton_poll(client_, rooms.data(), rooms.size(), statuses.data());
  EXPECT_EQ(statuses[0].phase, BATON_PHASE_DONE);
  EXPECT_EQ(statuses[1].phase, BATON_PHASE_CLOSED);
  EXPECT_EQ(statuses[2].phase, BATON_PHASE_DONE);
}

TEST_F(CAbi, AFailureSaysCodeTextAndRank) {
  agent_.OnCommand([](attach::AttachedRank& rank, const shm_abi::Command& command) {
    attach::TestAgent::GoWell(rank, command);
  });
  Start(BATON_ROLE_PREFILL);
  auto send = Sized<baton_send_room>();
  send.total_tokens = 16;
  baton_room room{};
  ASSERT_EQ(baton_open_send(client_, &send, &room, nullptr), BATON_OK);
  ASSERT_EQ(baton_abort(client_, room, "changed my mind", &error_), BATON_OK);
  ASSERT_TRUE(Reaches(room, BATON_PHASE_FAILED));
  EXPECT_EQ(baton_cause(client_, room, &error_), BATON_E_ABORTED);
  EXPECT_THAT(error_.text, HasSubstr("changed my mind"));
  EXPECT_EQ(baton_cause(client_, room, nullptr), BATON_E_ABORTED);
}

TEST_F(CAbi, WhatNobodyAnswersSaysRankSocketAndCure) {
  SmallOptions small(folder_.socket(), BATON_ROLE_PREFILL, info_.fd);
  small.options.attach_timeout_ms = 50;
  EXPECT_NE(AttachWith(small), BATON_OK);
  EXPECT_EQ(client_, nullptr);
  EXPECT_THAT(error_.text, HasSubstr("prefill-a[dp0/pp0/cp0/tp0]"));
  EXPECT_THAT(error_.text, HasSubstr(folder_.socket()));
}

TEST_F(CAbi, StructsThatAreNotFilledInAreRefusedByName) {
  ASSERT_TRUE(agent_.Start().ok());
  SmallOptions no_spec(folder_.socket(), BATON_ROLE_DECODE, info_.fd);
  no_spec.options.spec = nullptr;
  EXPECT_EQ(AttachWith(no_spec), BATON_E_BAD_MESSAGE);
  EXPECT_THAT(error_.text, HasSubstr("spec is NULL"));

  SmallOptions no_size(folder_.socket(), BATON_ROLE_DECODE, info_.fd);
  no_size.tensors[0].struct_size = 0;
  EXPECT_EQ(AttachWith(no_size), BATON_E_BAD_MESSAGE);
  EXPECT_THAT(error_.text, HasSubstr("set it to sizeof(baton_tensor)"));

  SmallOptions unlike(folder_.socket(), BATON_ROLE_DECODE, info_.fd);
  unlike.tensors[1].struct_size = 64;
  EXPECT_EQ(AttachWith(unlike), BATON_E_BAD_MESSAGE);
  EXPECT_THAT(error_.text, HasSubstr("baton_tensor number 1 has struct_size 64"));

  SmallOptions role(folder_.socket(), 3, info_.fd);
  EXPECT_EQ(AttachWith(role), BATON_E_BAD_MESSAGE);

  SmallOptions kind(folder_.socket(), BATON_ROLE_DECODE, info_.fd);
  kind.tensors[0].kind = 300;
  EXPECT_NE(AttachWith(kind), BATON_OK);
  EXPECT_EQ(client_, nullptr);
}

TEST_F(CAbi, AnOlderCallersShorterStructIsReadWithDefaults) {
  ASSERT_TRUE(agent_.Start().ok());
  SmallOptions small(folder_.socket(), BATON_ROLE_DECODE, info_.fd);
  small.options.struct_size = offsetof(baton_options, slots);
  small.options.slots = 1 << 30;  // past what the caller says it has
  EXPECT_EQ(AttachWith(small), BATON_OK) << error_.text;
}

TEST_F(CAbi, AShortErrorStructIsNotWrittenPast) {
  baton_error error{};
  error.struct_size = offsetof(baton_error, text) + 8;
  error.server[0] = 'x';
  EXPECT_EQ(baton_pool_create("kv", 0, &pool_, &error), BATON_E_BAD_REGION);
  EXPECT_EQ(error.code, BATON_E_BAD_REGION);
  EXPECT_EQ(error.server[0], 'x');
}

TEST_F(CAbi, AdoptedMemoryHasItsPlaceInTheRegion) {
  void* memory = std::aligned_alloc(64, 1 << 20);
  baton_pool* adopted = nullptr;
  EXPECT_EQ(baton_pool_adopt("kv", static_cast<char*>(memory) + 64, 4096, BATON_ADOPT_WHOLE_PAGES,
                             &adopted, &error_),
            BATON_E_BAD_REGION);
  ASSERT_EQ(baton_pool_adopt("kv", memory, 1 << 20, BATON_ADOPT_AROUND, &adopted, &error_),
            BATON_OK)
      << error_.text;
  auto info = Sized<baton_pool_info>();
  baton_pool_get_info(adopted, &info);
  EXPECT_EQ(static_cast<char*>(info.address) + info.offset, memory);
  EXPECT_GE(info.bytes, info.offset + (1 << 20));
  baton_pool_free(adopted);
  std::free(memory);
}

TEST(CAbiNames, EveryCodeHasANameAHelpAndComesBackFromItsName) {
  EXPECT_STREQ(baton_code_name(BATON_OK), "OK");
  EXPECT_STREQ(baton_code_name(BATON_E_ROOM_IN_USE), "ROOM_IN_USE");
  EXPECT_STREQ(baton_code_name(9999), "UNKNOWN");
  for (baton_code code = BATON_E_UNKNOWN; code <= BATON_E_ALIAS_HELD; ++code) {
    EXPECT_EQ(baton_code_of(baton_code_name(code)), code);
    EXPECT_THAT(std::string(baton_code_help(code)), ::testing::Not(IsEmpty()));
  }
}

struct Lines {
  static void Add(void* context, int32_t level, const char* text) {
    auto* lines = static_cast<Lines*>(context);
    MutexLock lock(&lines->mutex);
    lines->texts.push_back(std::to_string(level) + " " + text);
  }
  Mutex mutex;
  std::vector<std::string> texts ABSL_GUARDED_BY(mutex);
};

TEST_F(CAbi, LogLinesGoToTheCallersFunction) {
  Lines lines;
  baton_set_log(&Lines::Add, &lines);
  Start(BATON_ROLE_DECODE);
  baton_set_log(nullptr, nullptr);
  MutexLock lock(&lines.mutex);
  EXPECT_THAT(lines.texts,
              Contains(HasSubstr("0 decode-a[dp0/pp0/cp0/tp0] attached to its agent")));
}

}  // namespace
}  // namespace baton
