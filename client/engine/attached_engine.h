// The engine client. Four parts in four files:
//   attached_engine_calls.cc   calls of the engine's threads that write the ring; under mu_
//   attached_engine_poll.cc    reading rooms; lock-free but for Cause
//   attached_engine_peers.cc   peer servers; under mu_
//   attached_engine_watch.cc   one background thread: is the agent alive, and attach again
#ifndef BATON_CLIENT_ENGINE_ATTACHED_ENGINE_H_
#define BATON_CLIENT_ENGINE_ATTACHED_ENGINE_H_

#include <atomic>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "client/engine/attachment.h"
#include "client/engine/engine_client.h"
#include "client/engine/peer_book.h"
#include "client/engine/slot_book.h"
#include "client/engine/table_view.h"
#include "common/clock.h"
#include "common/mutex.h"
#include "common/shm_abi/command_codec.h"
#include "common/shm_abi/ring_producer.h"

namespace baton {

class AttachedEngine final : public EngineClient {
 public:
  AttachedEngine(EngineOptions options, TableView table);
  ~AttachedEngine() override;

  // Takes over the first attachment and starts the background thread.
  absl::Status Start(Attachment attachment);

  absl::StatusOr<RoomHandle> OpenSend(const SendRoom& room) override;
  absl::StatusOr<RoomHandle> OpenReceive(const ReceiveRoom& room) override;
  absl::StatusOr<RoomHandle> Announce(const AnnouncedRoom& room) override;
  absl::Status Provide(RoomHandle room, const RoomPages& pages) override;
  absl::Status Send(RoomHandle room, const Chunk& chunk) override;
  absl::Status Abort(RoomHandle room, const std::string& why) override;
  RoomStatus Poll(RoomHandle room) const override;
  absl::Status Cause(RoomHandle room) const override;
  uint64_t BytesMoved(RoomHandle room) const override;
  void Close(RoomHandle room) override;
  absl::StatusOr<PeerHandle> WatchPeer(const std::string& server) override;
  PeerStatus LookAtPeer(PeerHandle peer) const override;
  void ForgetPeer(PeerHandle peer) override;
  bool attached() const override { return attached_.load(std::memory_order_acquire); }
  Epoch agent_epoch() const override { return Epoch(epoch_.load(std::memory_order_acquire)); }

 private:
  // An agent process that ended an attachment but is not proven dead: rooms opened on it are not
  // released.
  struct Ghost {
    uint64_t attachment;
    Epoch epoch;
    UniqueFd pidfd;
  };
  using Owed =
      std::variant<shm_abi::Abort, shm_abi::Close, shm_abi::WatchPeer, shm_abi::ForgetPeer>;

  // --- calls
  absl::Status CheckAttached() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<shm_abi::SlotRef> TakeSlot() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::StatusOr<RoomHandle> PushOpenReceive(shm_abi::OpenReceive open, const ReceiveRoom& room);
  absl::Status CheckOpen(RoomHandle room) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // FULL when the ring has no room, TOO_LARGE when it never will have.
  template <typename View>
  absl::Status Push(const View& view, shm_abi::EntryKind kind) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Aborts, closes and questions for peers must not be lost: they wait here while the ring is full.
  // At most two a slot or row.
  void Owe(Owed owed) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  absl::Status PushOwed(const Owed& owed) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // What was owed has been told, or nobody is left to be told.
  void SettleOwed(const Owed& owed) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool PayOwed() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // --- rooms
  absl::Status CauseLocked(RoomHandle room) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  bool EndedInTable(shm_abi::SlotRef ref) const;
  // Ends open rooms of the current attachment that the table does not show as ended.
  void LoseRooms(const std::string& why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  // Keeps what the table says of ended rooms: it is about to go.
  void KeepEndings() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ReleaseRooms(uint64_t attachment) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void AbortLostRooms() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);
  void ReleaseGhostsOf(Epoch epoch) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  // --- background thread
  void RunOnWatch();
  void WaitOnWatch();
  void LookOnWatch();
  void LookAtHeartbeatOnWatch(TimePoint now);
  void LookAtGhostsOnWatch();
  void EndAttachmentOnWatch(const std::string& why);
  void AttachAgainOnWatch();
  absl::Status Adopt(Attachment attachment) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mu_);

  const EngineOptions options_;
  const RankRef rank_;
  TableView table_;
  SlotBook book_;  // Load is lock-free; the rest under mu_
  std::atomic<bool> attached_{false};
  std::atomic<uint64_t> epoch_{0};

  mutable Mutex mu_;
  std::optional<Attachment> attachment_ ABSL_GUARDED_BY(mu_);
  std::optional<shm_abi::RingProducer> producer_ ABSL_GUARDED_BY(mu_);
  uint64_t attachment_number_ ABSL_GUARDED_BY(mu_) = 0;
  std::deque<Owed> owed_ ABSL_GUARDED_BY(mu_);
  PeerBook peers_ ABSL_GUARDED_BY(mu_);
  std::string lost_why_ ABSL_GUARDED_BY(mu_);
  std::vector<Ghost> ghosts_ ABSL_GUARDED_BY(mu_);

  // --- of the background thread alone
  uint64_t heartbeat_ = 0;
  Duration silent_{0};
  TimePoint looked_at_;
  TimePoint attach_at_;
  Duration attach_pause_{0};
  std::string last_refusal_;

  UniqueFd wake_;
  std::atomic<bool> stop_{false};
  std::thread watch_;
};

inline shm_abi::SlotRef RefOf(RoomHandle room) { return {room.slot, room.generation}; }

}  // namespace baton

#endif  // BATON_CLIENT_ENGINE_ATTACHED_ENGINE_H_
