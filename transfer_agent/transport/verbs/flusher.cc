#include "transfer_agent/transport/verbs/flusher.h"

#include <errno.h>

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/log.h"
#include "common/reason.h"
#include "transfer_agent/transport/verbs/causes.h"

namespace baton::transport::verbs {

Flusher::~Flusher() {
  for (size_t rail = 0; rail < readers_.size(); ++rail) {
    Reader& reader = readers_[rail];
    if (reader.qp != nullptr) queue_pairs_->TakeDown(*reader.qp);
    if (reader.scratch != nullptr) reader.rail->provider().Deregister(reader.scratch);
  }
}

absl::Status Flusher::Prepare(absl::Span<const std::unique_ptr<Rail>> rails) {
  readers_.resize(rails.size());
  for (size_t i = 0; i < rails.size(); ++i) {
    readers_[i].rail = rails[i].get();
    if (!rails[i]->health.works() || readers_[i].qp != nullptr) continue;
    if (absl::Status status = Build(i); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status Flusher::Build(size_t rail) {
  Reader& reader = readers_[rail];
  if (reader.scratch == nullptr) {
    reader.scratch = reader.rail->provider().RegisterMemory(
        reader.rail->pd(), bytes_, sizeof(bytes_), reinterpret_cast<uintptr_t>(bytes_),
        IBV_ACCESS_LOCAL_WRITE);
    if (reader.scratch == nullptr) {
      return SystemError(absl::StrCat("verbs ", reader.rail->name(), ": reg_mr for the flush"),
                         errno);
    }
  }
  auto qp = queue_pairs_->Make(reader.rail, QueueUse::kLoop, /*windows=*/0, /*channel=*/nullptr, 0);
  if (!qp.ok()) return qp.status();
  absl::Status status = Connect(loop_->options, EndpointOf(**qp), qp->get());
  if (!status.ok()) {
    queue_pairs_->TakeDown(**qp);
    return status;
  }
  reader.qp = *std::move(qp);
  return absl::OkStatus();
}

Flusher::Lane* Flusher::LaneOf(const LocalMemory& memory, size_t rail) {
  for (const auto& lane : lanes_) {
    if (lane->memory == &memory && lane->rail == rail) return lane.get();
  }
  lanes_.push_back(std::make_unique<Lane>());
  lanes_.back()->memory = &memory;
  lanes_.back()->rail = rail;
  return lanes_.back().get();
}

void Flusher::Start(const LocalMemory& memory, absl::Span<const size_t> rails,
                    const Waiting& waiting) {
  Pending& pending = pending_.emplace_back();
  pending.number = ++last_;
  pending.waiting = waiting;
  for (size_t rail : rails) {
    Lane* lane = LaneOf(memory, rail);
    pending.lanes.emplace_back(lane, ++lane->asked);
  }
  for (size_t rail : rails) {
    if (absl::Status status = Read(LaneOf(memory, rail)); !status.ok()) Break(rail, status);
  }
  TellReady();
}

absl::Status Flusher::Read(Lane* lane) {
  if (lane->reading != 0 || lane->asked == lane->done) return absl::OkStatus();
  Reader& reader = readers_[lane->rail];
  if (reader.qp == nullptr) {
    if (absl::Status status = Build(lane->rail); !status.ok()) return status;
  }
  // All places are taken: a READ that ends makes room, and asks again.
  if (!reader.qp->CanAdd()) return absl::OkStatus();
  ibv_send_wr& wr = reader.qp->Add();
  wr.opcode = IBV_WR_RDMA_READ;
  lane->memory->FlushFrom(lane->rail, &wr.wr.rdma.remote_addr, &wr.wr.rdma.rkey);
  wr.sg_list[0] = {
      .addr = reinterpret_cast<uintptr_t>(bytes_), .length = 1, .lkey = reader.scratch->lkey};
  wr.num_sge = 1;
  reader.qp->sends().Charge(nullptr, 0);
  reader.reads.push_back(lane);
  lane->reading = lane->asked;
  return reader.qp->Ring();
}

void Flusher::OnCompletion(size_t rail, const ibv_wc& wc, uint32_t sequence) {
  Reader& reader = readers_[rail];
  if (wc.status != IBV_WC_SUCCESS) {
    return Break(rail, Error(Reason::kTransport,
                             absl::StrCat("flush of GPU memory: ",
                                          ExplainFailure(wc.status, wc.vendor_err, *reader.qp))));
  }
  reader.qp->sends().Complete(sequence, [&reader](const SendLedger::Send&) {
    Lane* lane = reader.reads.front();
    reader.reads.pop_front();
    lane->done = std::exchange(lane->reading, 0);
  });
  absl::Status status = reader.qp->Ring();
  for (const auto& lane : lanes_) {
    if (status.ok() && lane->rail == rail && lane->memory != nullptr) status = Read(lane.get());
  }
  if (!status.ok()) Break(rail, status);
  TellReady();
}

void Flusher::Break(size_t rail, const absl::Status& cause) {
  // tidy-allow(log): the text begins with the rail.
  LOG(ERROR) << cause;
  Reader& reader = readers_[rail];
  if (reader.qp != nullptr) {
    queue_pairs_->TakeDown(*reader.qp);
    reader.qp.reset();
  }
  reader.reads.clear();
  for (const auto& lane : lanes_) {
    if (lane->rail != rail) continue;
    lane->reading = 0;
    lane->done = lane->asked;
  }
  std::vector<Waiting> failed;
  std::erase_if(pending_, [&](const Pending& pending) {
    const bool here = std::any_of(pending.lanes.begin(), pending.lanes.end(),
                                  [rail](const auto& l) { return l.first->rail == rail; });
    if (here) failed.push_back(pending.waiting);
    return here;
  });
  for (const Waiting& waiting : failed) Tell(waiting, cause);
}

void Flusher::TellReady() {
  std::vector<Waiting> ready;
  std::erase_if(pending_, [&](const Pending& pending) {
    const bool over = std::all_of(pending.lanes.begin(), pending.lanes.end(),
                                  [](const auto& l) { return l.first->done >= l.second; });
    if (over) ready.push_back(pending.waiting);
    return over;
  });
  for (const Waiting& waiting : ready) Tell(waiting, absl::OkStatus());
}

void Flusher::Tell(const Waiting& waiting, const absl::Status& status) {
  EventQueue& events = loop_->events;
  if (!waiting.is_part) {
    // If it failed, no rail is left that could bring anything.
    events.Fenced(waiting.peer, waiting.offer);
  } else if (status.ok()) {
    events.Part(waiting.channel, waiting.peer, waiting.offer, waiting.part, kBytesUnknown);
  } else {
    events.WindowBroken(waiting.peer, waiting.offer, status);
  }
  // A channel that was retired behind this part is told of now.
  loop_->clock.Ask();
}

void Flusher::ForgetWindow(PeerId peer, OfferId offer) {
  std::erase_if(pending_, [&](const Pending& pending) {
    const Waiting& w = pending.waiting;
    return w.is_part && w.peer == peer && w.offer == offer;
  });
}

void Flusher::ForgetMemory(const LocalMemory* memory) {
  for (const auto& lane : lanes_) {
    if (lane->memory != memory) continue;
    lane->memory = nullptr;
    std::erase_if(pending_, [&](const Pending& pending) {
      return std::any_of(pending.lanes.begin(), pending.lanes.end(),
                         [&](const auto& l) { return l.first == lane.get(); });
    });
  }
  // One whose READ is under way is still named by it.
  std::erase_if(lanes_,
                [](const auto& lane) { return lane->memory == nullptr && lane->reading == 0; });
}

}  // namespace baton::transport::verbs
