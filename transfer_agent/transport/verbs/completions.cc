// The poll loop: completions in, chains out.
#include <arpa/inet.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "common/reason.h"
#include "transfer_agent/transport/verbs/causes.h"
#include "transfer_agent/transport/verbs/verbs_transport.h"

namespace baton::transport::verbs {
namespace {

constexpr int kBatch = 32;
// Of one rail in one Poll, so that other rails and channels have their turn.
constexpr int kBatchesPerPoll = 8;

}  // namespace

void VerbsTransport::MakeRunnable(Channel* channel) {
  if (channel->runnable) return;
  channel->runnable = true;
  runnable_.push_back(channel);
}

bool VerbsTransport::PollRails() {
  bool worked = false;
  for (const auto& rail : rails_) worked |= PollRail(rail.get());
  return worked;
}

bool VerbsTransport::PollRail(Rail* rail) {
  if (rail->dead) return false;
  ibv_wc completions[kBatch];
  bool worked = false;
  for (int i = 0; i < kBatchesPerPoll; ++i) {
    const int n = ibv_poll_cq(rail->cq(), kBatch, completions);
    if (n < 0) {
      FailRail(rail, Error(Reason::kTransport, absl::StrCat("verbs ", rail->name(),
                                                            ": its completion queue is broken")));
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
    break;
  }
  return worked;
}

void VerbsTransport::OnCompletion(const ibv_wc& wc) {
  const WorkId id = UnpackWorkId(wc.wr_id);
  const Place* place = places_.Find(id);
  if (place == nullptr) return;
  if (place->loop && id.kind == WorkKind::kSend) {
    return flusher_.OnCompletion(place->index, wc, id.sequence);
  }
  if (place->channel == nullptr) return;
  Channel* channel = place->channel;
  QueuePair* qp = channel->queue_pairs[place->index].get();
  if (wc.status != IBV_WC_SUCCESS) {
    const std::string text = ExplainFailure(wc.status, wc.vendor_err, *qp);
    // A peer that died says nothing about the rail, and others are served over it.
    if (IsOwnFault(wc.status)) qp->rail().Pause(now_);
    if (wc.status == IBV_WC_RETRY_EXC_ERR || IsOwnFault(wc.status)) {
      PausePath(*channel, *qp);
    }
    // The target may have made the channel's own keys invalid: its rooms move to another.
    const bool taken_back = wc.status == IBV_WC_REM_ACCESS_ERR && !channel->keys.empty();
    if (IsRequestFault(wc.status) && !taken_back && id.kind == WorkKind::kSend) {
      SourceDatapath::Blame(*qp, id.sequence, Error(Reason::kBadRegion, text));
    }
    return Fail(channel, Error(Reason::kTransport, text));
  }
  channel->quiet_since.reset();
  if (id.kind == WorkKind::kReceive) return OnReceived(channel, place->index, wc);
  if (channel->source != nullptr) {
    channel->source->OnSent(qp, id.sequence);
  } else {
    qp->Retire(id.sequence, [](const QueuePair::Posted&) {});
    if (channel->windows != nullptr && channel->windows->invalidated()) look_at_clock_ = true;
  }
  MakeRunnable(channel);
}

void VerbsTransport::OnReceived(Channel* channel, uint32_t index, const ibv_wc& wc) {
  QueuePair* qp = channel->queue_pairs[index].get();
  const uint32_t immediate = ntohl(wc.imm_data);
  absl::Status status;
  if (wc.opcode == IBV_WC_RECV_RDMA_WITH_IMM && channel->source == nullptr) {
    channel->used = ++uses_;
    const PartImmediate part = UnpackPart(immediate);
    const LocalMemory* memory =
        target_.OnImmediate(channel->id, channel->peer, index,
                            static_cast<uint32_t>(channel->queue_pairs.size()), part);
    if (memory != nullptr) {
      OnPartDone(*channel,
                 {.is_part = true,
                  .channel = channel->id,
                  .peer = channel->peer,
                  .offer = part.offer,
                  .part = part.part},
                 *memory);
    }
  } else if (wc.opcode == IBV_WC_RECV && (wc.wc_flags & IBV_WC_WITH_IMM) != 0) {
    status = OnWord(channel, index, UnpackWord(immediate));
  } else {
    status = Error(Reason::kBadMessage,
                   absl::StrCat("verbs: the peer sent what is no word: opcode ", wc.opcode));
  }
  if (status.ok()) status = qp->ReceiveUsed();
  if (!status.ok()) return Fail(channel, status);
  if (channel->source == nullptr) ReturnCredits(qp);
  if (qp->has_chain()) MakeRunnable(channel);
}

absl::Status VerbsTransport::OnWord(Channel* channel, uint32_t index, WordImmediate word) {
  QueuePair* qp = channel->queue_pairs[index].get();
  const bool source = channel->source != nullptr;
  if (word.word == Word::kHello && (!source || !channel->keys.empty())) {
    channel->heard |= 1u << index;
    // It leaves behind the binds.
    if (channel->windows != nullptr) qp->AddWord({.word = Word::kHello, .value = 0});
    if (source) MakeRunnable(channel);
    if (channel->machine.state() == ChannelState::kExpected &&
        channel->heard == (1u << channel->queue_pairs.size()) - 1) {
      channel->machine.Advance(ChannelEvent::kHeard);
      channel->deadline.reset();
      events_.ChannelUp(channel->id);
    }
    return absl::OkStatus();
  }
  if (word.word == Word::kCredit && source) {
    qp->credits += word.value;
    MakeRunnable(channel);
    if (qp->credits <= (1u << 20)) return absl::OkStatus();
  }
  if (word.word == Word::kProbe && source) return absl::OkStatus();
  if (word.word == Word::kGoodbye) {
    return Error(Reason::kPeerLost, "verbs: the peer closed the channel");
  }
  return Error(Reason::kBadMessage,
               absl::StrCat("verbs: word ", static_cast<int>(word.word), " with value ", word.value,
                            " from a ", source ? "target" : "source"));
}

void VerbsTransport::ReturnCredits(QueuePair* qp) {
  if (qp->granted < std::max(qp->sizes().receives / 4, 1u)) return;
  // A queue that is full now has room when its words are acknowledged; what is owed waits.
  if (qp->AddWord({.word = Word::kCredit, .value = qp->granted})) qp->granted = 0;
}

bool VerbsTransport::Post() {
  bool worked = false;
  // What becomes runnable meanwhile has its turn in the next Poll.
  for (size_t left = runnable_.size(), at = 0; left > 0 && at < runnable_.size(); --left) {
    Channel* channel = runnable_[at];
    if (PostChannel(channel)) {
      worked = true;
      // It may be gone, and then its place holds another or nothing.
      if (at < runnable_.size() && runnable_[at] == channel) ++at;
      continue;
    }
    channel->runnable = false;
    runnable_.erase(runnable_.begin() + static_cast<ptrdiff_t>(at));
  }
  return worked;
}

// False: there is nothing to post until something happens.
bool VerbsTransport::PostChannel(Channel* channel) {
  const ChannelState state = channel->machine.state();
  const bool source = channel->source != nullptr;
  if (source && (state == ChannelState::kOffered || state == ChannelState::kExpected)) return false;
  absl::StatusOr<bool> posted = false;
  if (source) {
    posted = channel->source->Post();
  } else {
    for (const auto& qp : channel->queue_pairs) {
      ReturnCredits(qp.get());
      if (!qp->has_chain()) continue;
      absl::Status rung = qp->Ring();
      posted = rung.ok() ? absl::StatusOr<bool>(true) : absl::StatusOr<bool>(rung);
      if (!rung.ok()) break;
    }
  }
  if (!posted.ok()) {
    Fail(channel, posted.status());
    return true;
  }
  if (channel->leaving() && SayGoodbye(channel)) return true;
  return *posted;
}

}  // namespace baton::transport::verbs
