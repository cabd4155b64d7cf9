// The calls on rooms.
#include <chrono>

#include "client/c/baton.h"
#include "client/c/client_handle.h"
#include "client/c/values.h"
#include "common/reason.h"

namespace {

using baton::RoomHandle;
using baton::c::Fail;

static_assert(BATON_NO_ROW == baton::kNoRow);
static_assert(BATON_PHASE_OPEN == static_cast<int>(baton::RoomPhase::kOpen));
static_assert(BATON_PHASE_OFFERED == static_cast<int>(baton::RoomPhase::kOffered));
static_assert(BATON_PHASE_DONE == static_cast<int>(baton::RoomPhase::kDone));
static_assert(BATON_PHASE_FAILED == static_cast<int>(baton::RoomPhase::kFailed));
static_assert(BATON_PHASE_AGENT_LOST == static_cast<int>(baton::RoomPhase::kAgentLost));
static_assert(BATON_PHASE_CLOSED == static_cast<int>(baton::RoomPhase::kClosed));

RoomHandle Handle(baton_room room) { return {room.slot, room.generation}; }

std::chrono::milliseconds TimeLeft(uint32_t milliseconds) {
  return std::chrono::milliseconds(milliseconds == 0 ? 60000 : milliseconds);
}

baton::planner::HolderPolicy Holder(uint8_t given) {
  return given == BATON_HOLDER_SPREAD ? baton::planner::HolderPolicy::kSpread
                                      : baton::planner::HolderPolicy::kOne;
}

absl::Status CheckRows(const uint32_t* rows, size_t count) {
  if (rows != nullptr || count == 0) return absl::OkStatus();
  return baton::Error(baton::Reason::kBadMessage, "state_rows is NULL");
}

baton_code Give(const absl::StatusOr<RoomHandle>& opened, baton_room* room, baton_error* error) {
  if (!opened.ok()) return Fail(opened.status(), error);
  *room = {opened->slot, opened->generation};
  return BATON_OK;
}

}  // namespace

extern "C" {

baton_code baton_open_send(baton_client* client, const baton_send_room* send, baton_room* room,
                           baton_error* error) {
  const baton_send_room given = baton::c::Known(send);
  baton::SendRoom open{.room = {given.room_id, given.room_nonce},
                       .total_tokens = given.total_tokens,
                       .time_left = TimeLeft(given.time_left_ms)};
  if (given.total_unknown != 0) open.total_tokens = std::nullopt;
  return Give(client->engine->OpenSend(open), room, error);
}

baton_code baton_open_receive(baton_client* client, const baton_receive_room* receive,
                              baton_room* room, baton_error* error) {
  const baton_receive_room given = baton::c::Known(receive);
  auto pages = baton::c::PagesOf(given.pages, given.page_group_count);
  if (!pages.ok()) return Fail(pages.status(), error);
  if (absl::Status s = CheckRows(given.state_rows, given.state_row_count); !s.ok()) {
    return Fail(s, error);
  }
  baton::ReceiveRoom open;
  open.room = {given.room_id, given.room_nonce};
  open.prefill_server = baton::c::Text(given.prefill_server);
  if (given.has_prefill_dp != 0) open.prefill_dp = given.prefill_dp;
  open.policy = {Holder(given.tp_holder), Holder(given.cp_holder)};
  open.total_tokens = given.total_tokens;
  open.prefix_tokens = given.prefix_tokens;
  open.pages = *std::move(pages);
  open.state_rows.assign(given.state_rows, given.state_rows + given.state_row_count);
  open.aux_row = given.aux_row;
  open.time_left = TimeLeft(given.time_left_ms);
  return Give(client->engine->OpenReceive(open), room, error);
}

baton_code baton_announce(baton_client* client, const baton_announced_room* announced,
                          baton_room* room, baton_error* error) {
  const baton_announced_room given = baton::c::Known(announced);
  baton::AnnouncedRoom open;
  open.room = {given.room_id, given.room_nonce};
  open.prefill_server = baton::c::Text(given.prefill_server);
  if (given.has_prefill_dp != 0) open.prefill_dp = given.prefill_dp;
  open.policy = {Holder(given.tp_holder), Holder(given.cp_holder)};
  open.time_left = TimeLeft(given.time_left_ms);
  return Give(client->engine->Announce(open), room, error);
}

baton_code baton_provide(baton_client* client, baton_room room, const baton_room_pages* pages,
                         baton_error* error) {
  const baton_room_pages given = baton::c::Known(pages);
  auto lists = baton::c::PagesOf(given.pages, given.page_group_count);
  if (!lists.ok()) return Fail(lists.status(), error);
  if (absl::Status s = CheckRows(given.state_rows, given.state_row_count); !s.ok()) {
    return Fail(s, error);
  }
  baton::RoomPages provide;
  provide.total_tokens = given.total_tokens;
  provide.prefix_tokens = given.prefix_tokens;
  provide.pages = *std::move(lists);
  provide.state_rows.assign(given.state_rows, given.state_rows + given.state_row_count);
  provide.aux_row = given.aux_row;
  return Fail(client->engine->Provide(Handle(room), provide), error);
}

baton_code baton_send(baton_client* client, baton_room room, const baton_chunk* chunk,
                      baton_error* error) {
  const baton_chunk given = baton::c::Known(chunk);
  auto pages = baton::c::PagesOf(given.pages, given.page_group_count);
  if (!pages.ok()) return Fail(pages.status(), error);
  if (absl::Status s = CheckRows(given.state_rows, given.state_row_count); !s.ok()) {
    return Fail(s, error);
  }
  baton::Chunk send;
  send.token_begin = given.token_begin;
  send.token_end = given.token_end;
  send.layer_begin = given.layer_begin;
  send.layer_end = given.layer_end == 0 ? UINT32_MAX : given.layer_end;
  send.is_last_chunk = given.is_last_chunk != 0;
  send.pages = *std::move(pages);
  send.state_rows = {given.state_rows, given.state_row_count};
  send.aux_row = given.aux_row;
  if (given.page_groups != 0) send.page_groups = static_cast<uint16_t>(given.page_groups);
  return Fail(client->engine->Send(Handle(room), send), error);
}

baton_code baton_abort(baton_client* client, baton_room room, const char* why, baton_error* error) {
  return Fail(client->engine->Abort(Handle(room), baton::c::Text(why)), error);
}

void baton_close(baton_client* client, baton_room room) { client->engine->Close(Handle(room)); }

void baton_poll(const baton_client* client, const baton_room* rooms, size_t count,
                baton_room_status* statuses) {
  for (size_t i = 0; i < count; ++i) {
    const baton::RoomStatus status = client->engine->Poll(Handle(rooms[i]));
    statuses[i] = {static_cast<uint8_t>(status.phase),
                   static_cast<uint8_t>(status.released ? 1 : 0),
                   static_cast<uint8_t>(status.source_complete ? 1 : 0),
                   {},
                   status.prefix_tokens};
  }
}

baton_code baton_cause(const baton_client* client, baton_room room, baton_error* error) {
  return Fail(client->engine->Cause(Handle(room)), error);
}

uint64_t baton_source_tokens(const baton_client* client, baton_room room) {
  return client->engine->Poll(Handle(room)).source_tokens;
}

uint64_t baton_bytes_moved(const baton_client* client, baton_room room) {
  return client->engine->BytesMoved(Handle(room));
}

}  // extern "C"
