#include "transfer_agent/transport/verbs/datapath.h"

#include <arpa/inet.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "transfer_agent/transport/verbs/causes.h"

namespace baton::transport::verbs {
namespace {

constexpr int kBatch = 32;
// Of one rail in one Poll, so that other rails and channels have their turn.
constexpr int kBatchesPerPoll = 8;
// Polls until every queue should be empty.
constexpr int kDrainsMax = 64;

}  // namespace

Submitted Datapath::Submit(ChannelId id, const Segment& segment) {
  Channel* channel = channels_->Find(id);
  if (channel == nullptr || channel->source == nullptr || channel->leaving()) {
    return Submitted::kNoChannel;
  }
  const RemoteMemory* target = memories_->Remote(channel->peer, segment.remote);
  // Before the answer there are no keys, and Complete looks for them.
  if (target != nullptr && channel->machine.state() != ChannelState::kOffered) {
    target = channel->KeysTo(*target);
    if (target == nullptr) {
      // Its room goes on over another channel, which has them.
      channels_->Fail(channel, NoKeys());
      return Submitted::kNoChannel;
    }
  }
  channels_->run_queue().Add(channel);
  channels_->Use(channel);
  return channel->source->Submit(segment, memories_->Find(segment.memory), target);
}

bool Datapath::Poll() {
  bool worked = false;
  for (const auto& rail : rails_->all()) worked |= PollRail(rail.get());
  return worked;
}

void Datapath::Drain() {
  for (int i = 0; i < kDrainsMax && Poll(); ++i) {
  }
}

bool Datapath::PollRail(Rail* rail) {
  if (rail->health.dead) return false;
  ibv_wc completions[kBatch];
  bool worked = false;
  for (int i = 0; i < kBatchesPerPoll; ++i) {
    const int n = ibv_poll_cq(rail->cq(), kBatch, completions);
    if (n < 0) {
      channels_->Lose(Rails::Kill(
          rail, Error(Reason::kTransport,
                      absl::StrCat("verbs ", rail->name(), ": its completion queue is broken"))));
      return true;
    }
    for (int c = 0; c < n; ++c) {
      if (completions[c].status != IBV_WC_SUCCESS) {
        rail->metrics()->CountError(ErrorOf(completions[c].status));
      }
      OnCompletion(completions[c]);
    }
    worked |= n > 0;
    if (n == kBatch) continue;
    rail->SeenEmpty();
    if (!flushed_.empty()) TakeFlushed(*rail);
    break;
  }
  return worked;
}

void Datapath::TakeFlushed(const Rail& rail) {
  std::vector<ibv_wc> left;
  for (const ibv_wc& wc : std::exchange(flushed_, {})) {
    const WorkId id = UnpackWorkId(wc.wr_id);
    const Place* place = queue_pairs_->Find(id);
    if (place == nullptr) continue;
    if (&place->qp->rail() != &rail) {
      left.push_back(wc);
    } else {
      OnFailed(Place(*place), wc, id);
    }
  }
  flushed_ = std::move(left);
}

void Datapath::OnCompletion(const ibv_wc& wc) {
  const WorkId id = UnpackWorkId(wc.wr_id);
  const Place* found = queue_pairs_->Find(id);
  if (found == nullptr) return;
  const Place place = *found;  // what follows may make and free places
  QueuePair* qp = place.qp;
  Channel* channel = place.channel;
  if (channel == nullptr) {
    if (id.kind == WorkKind::kSend) flusher_.OnCompletion(qp->rail().index(), wc, id.sequence);
    return;
  }
  if (wc.status == IBV_WC_WR_FLUSH_ERR) {
    // Something failed before, and says what. Where a device flushes receives first it comes later,
    // and without it the way to the peer would be taken for good.
    const auto same = [&](const ibv_wc& w) {
      const WorkId other = UnpackWorkId(w.wr_id);
      return other.place == id.place && other.generation == id.generation;
    };
    if (std::none_of(flushed_.begin(), flushed_.end(), same)) flushed_.push_back(wc);
    return;
  }
  if (wc.status != IBV_WC_SUCCESS) return OnFailed(place, wc, id);
  channel->quiet_since.reset();
  if (id.kind == WorkKind::kReceive) return OnReceived(place, wc);
  if (channel->source != nullptr) {
    channel->source->OnSent(qp, id.sequence);
  } else {
    qp->sends().Complete(id.sequence, [](const SendLedger::Send&) {});
    // A fence may wait for its keys.
    if (channel->windows != nullptr && channel->windows->invalidated()) loop_->clock.Ask();
  }
  channels_->run_queue().Add(channel);
}

void Datapath::OnFailed(const Place& place, const ibv_wc& wc, const WorkId& id) {
  Channel* channel = place.channel;
  const std::string text = ExplainFailure(wc.status, wc.vendor_err, *place.qp);
  const TimePoint now = loop_->clock.now();
  // A peer that died says nothing about the rail, and others are served over it.
  if (IsOwnFault(wc.status)) place.qp->rail().Pause(now);
  if (wc.status == IBV_WC_RETRY_EXC_ERR || IsOwnFault(wc.status)) {
    rails_->NotReached(channel->peer, *place.qp, now);
  }
  // The target may have made the channel's own keys invalid: its rooms move to another.
  const bool taken_back = wc.status == IBV_WC_REM_ACCESS_ERR && !channel->keys.empty();
  if (IsRequestFault(wc.status) && !taken_back && id.kind == WorkKind::kSend) {
    SourceDatapath::Blame(place.qp, id.sequence, Error(Reason::kBadRegion, text));
  }
  channels_->Fail(channel, Error(Reason::kTransport, text));
}

void Datapath::OnReceived(const Place& place, const ibv_wc& wc) {
  Channel* channel = place.channel;
  QueuePair* qp = place.qp;
  const uint32_t immediate = ntohl(wc.imm_data);
  absl::Status status;
  if (wc.opcode == IBV_WC_RECV_RDMA_WITH_IMM && channel->source == nullptr) {
    OnPart(place, UnpackPart(immediate));
  } else if (wc.opcode == IBV_WC_RECV && (wc.wc_flags & IBV_WC_WITH_IMM) != 0) {
    status = OnWord(place, UnpackWord(immediate));
  } else {
    status = Error(Reason::kBadMessage,
                   absl::StrCat("verbs: the peer sent what is no word: opcode ", wc.opcode));
  }
  if (status.ok()) status = qp->ReceiveUsed();
  if (!status.ok()) return channels_->Fail(channel, status);
  if (channel->source == nullptr) ReturnCredits(qp);
  if (qp->has_chain()) channels_->run_queue().Add(channel);
}

void Datapath::OnPart(const Place& place, PartImmediate part) {
  Channel* channel = place.channel;
  channels_->Use(channel);
  const LocalMemory* memory =
      target_.OnImmediate(channel->id, channel->peer, place.index,
                          static_cast<uint32_t>(channel->queue_pairs.size()), part);
  if (memory == nullptr) return;
  if (!memory->needs_flush()) {
    loop_->events.Part(channel->id, channel->peer, part.offer, part.part, kBytesUnknown);
    return;
  }
  std::vector<size_t> rails;
  for (const auto& rail : rails_->all()) {
    if (channel->Uses(*rail)) rails.push_back(rail->index());
  }
  flusher_.Start(*memory, rails,
                 {.is_part = true,
                  .channel = channel->id,
                  .peer = channel->peer,
                  .offer = part.offer,
                  .part = part.part});
}

void Datapath::TellFenced(const Fences::Fence& fence) {
  const std::vector<size_t> rails = rails_->Working();
  if (fence.memory == nullptr || !fence.memory->needs_flush() || rails.empty()) {
    loop_->events.Fenced(fence.peer, fence.offer);
    return;
  }
  // What the adapter has taken may still be on its way over the bus.
  flusher_.Start(
      *fence.memory, rails,
      {.is_part = false, .channel = {}, .peer = fence.peer, .offer = fence.offer, .part = 0});
}

absl::Status Datapath::OnWord(const Place& place, WordImmediate word) {
  Channel* channel = place.channel;
  const bool source = channel->source != nullptr;
  if (word.word == Word::kHello && (!source || !channel->keys.empty())) {
    OnHello(place);
    return absl::OkStatus();
  }
  if (word.word == Word::kCredit && source) {
    place.qp->credits += word.value;
    channels_->run_queue().Add(channel);
    if (place.qp->credits <= (1u << 20)) return absl::OkStatus();
  }
  if (word.word == Word::kProbe && source) return absl::OkStatus();
  if (word.word == Word::kGoodbye) {
    return Error(Reason::kPeerLost, "verbs: the peer closed the channel");
  }
  return Error(Reason::kBadMessage,
               absl::StrCat("verbs: word ", static_cast<int>(word.word), " with value ", word.value,
                            " from a ", source ? "target" : "source"));
}

void Datapath::OnHello(const Place& place) {
  Channel* channel = place.channel;
  channel->heard |= 1u << place.index;
  // It leaves behind the binds.
  if (channel->windows != nullptr) place.qp->AddWord({.word = Word::kHello, .value = 0});
  if (channel->source != nullptr) channels_->run_queue().Add(channel);
  if (channel->machine.state() == ChannelState::kExpected &&
      channel->heard == (1u << channel->queue_pairs.size()) - 1) {
    channel->machine.Advance(ChannelEvent::kHeard);
    channel->deadline.reset();
    loop_->events.ChannelUp(channel->id);
  }
}

void Datapath::ReturnCredits(QueuePair* qp) {
  if (qp->granted < std::max(qp->sizes().receives / 4, 1u)) return;
  // A queue that is full now has room when its words are acknowledged; what is owed waits.
  if (qp->AddWord({.word = Word::kCredit, .value = qp->granted})) qp->granted = 0;
}

bool Datapath::Post() {
  return channels_->run_queue().Serve([this](Channel* channel) { return PostChannel(channel); });
}

// False: there is nothing to post until something happens.
bool Datapath::PostChannel(Channel* channel) {
  const ChannelState state = channel->machine.state();
  const bool source = channel->source != nullptr;
  if (source && (state == ChannelState::kOffered || state == ChannelState::kExpected)) return false;
  const absl::StatusOr<bool> posted = source ? channel->source->Post() : PostWords(channel);
  if (!posted.ok()) {
    channels_->Fail(channel, posted.status());
    return true;
  }
  if (channel->leaving() && SayGoodbye(channel)) return true;
  return *posted;
}

absl::StatusOr<bool> Datapath::PostWords(Channel* channel) {
  bool posted = false;
  for (const auto& qp : channel->queue_pairs) {
    ReturnCredits(qp.get());
    posted |= qp->has_chain();
    if (absl::Status status = qp->Ring(); !status.ok()) return status;
  }
  return posted;
}

// True: something was done, the channel may be gone.
bool Datapath::SayGoodbye(Channel* channel) {
  if (!channel->drained()) return false;
  const absl::Status cause = absl::CancelledError("the channel was closed");
  if (channel->said_goodbye) {
    channels_->End(channel, cause);
    return true;
  }
  for (const auto& qp : channel->queue_pairs) qp->AddWord({.word = Word::kGoodbye, .value = 0});
  channel->said_goodbye = true;
  for (const auto& qp : channel->queue_pairs) {
    if (qp->Ring().ok()) continue;
    channels_->End(channel, cause);
    break;
  }
  return true;
}

}  // namespace baton::transport::verbs
