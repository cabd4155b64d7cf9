#include "transfer_agent/transport/verbs/source_datapath.h"

#include <arpa/inet.h>

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "transfer_agent/transport/segment_end.h"

namespace baton::transport::verbs {
namespace {

// What one room may add before the next has its turn.
constexpr uint32_t kWritesPerTurn = 16;
constexpr uint64_t kBytesPerTurn = 1 << 20;

}  // namespace

Submitted SourceDatapath::Submit(const Segment& segment, const LocalMemory* local,
                                 const RemoteMemory* remote) {
  if (rooms_.jobs() >= kSegmentsPerChannelMax) return Submitted::kFull;
  const bool moves = segment.cursor.bytes_total() > 0;
  if (segment.part >= kPartsMax || (moves && (local == nullptr || remote == nullptr))) {
    events_->SegmentDone(segment.cookie,
                         absl::InvalidArgumentError(
                             segment.part >= kPartsMax
                                 ? absl::StrCat("segment: part ", segment.part, " of at most 64")
                                 : "segment: its memory is not exported or not imported"));
    return Submitted::kAccepted;
  }
  Job* job = rooms_.Add(segment);
  job->local = local;
  job->remote = remote;
  if (segment.close_part) job->closes_left = UINT32_MAX;  // cut to the queue pairs when served
  return Submitted::kAccepted;
}

QueuePair* SourceDatapath::Lightest() const {
  QueuePair* best = nullptr;
  for (QueuePair* qp : qps_) {
    if (!qp->CanAdd() || qp->sends().bytes() >= options_.posted_bytes_max) continue;
    if (best == nullptr || qp->sends().bytes() < best->sends().bytes()) best = qp;
  }
  return best;
}

absl::StatusOr<bool> SourceDatapath::Post() {
  bool added = false;
  // Two rounds without progress cannot follow each other: rooms that wait for credits only turn.
  for (bool progress = true; progress;) {
    progress = false;
    // A room keeps its turn when there is no place for it.
    for (uint32_t turns = rooms_.waiting(); turns > 0 && Lightest() != nullptr; --turns) {
      SendRoom* room = rooms_.Next();
      if (room == nullptr) break;
      progress |= Serve(room);
    }
    added |= progress;
  }
  bool posted = added;
  for (QueuePair* qp : qps_) {
    posted |= qp->has_chain();
    if (absl::Status status = qp->Ring(); !status.ok()) return status;
  }
  return posted;
}

bool SourceDatapath::Serve(SendRoom* room) {
  Job* job = room->first;
  const bool alone = rooms_.waiting() == 0;
  bool added = false;
  uint64_t bytes_left = kBytesPerTurn;
  for (uint32_t n = 0; job->HasMore() && (alone || (n < kWritesPerTurn && bytes_left > 0)); ++n) {
    QueuePair* qp = Lightest();
    if (qp == nullptr) break;
    const uint64_t before = qp->sends().bytes();
    const size_t index = std::find(qps_.begin(), qps_.end(), qp) - qps_.begin();
    if (!AddWrite(job, index)) {
      const OfferId offer = room->offer;
      rooms_.Return(room);
      End(offer, absl::InternalError("the plan leaves the memory of source or target"));
      return true;
    }
    added = true;
    bytes_left -= std::min(bytes_left, qp->sends().bytes() - before);
  }
  if (!job->HasMore()) {
    const uint32_t left = job->closes_left;
    Close(job);
    added |= left != job->closes_left;
    if (job->closes_left == 0) {
      rooms_.Pop(room);
      job->over = true;
      if (job->unacknowledged == 0) Finish(job);
      added = true;
    }
  }
  rooms_.Return(room);
  return added;
}

bool SourceDatapath::AddWrite(Job* job, size_t index) {
  QueuePair& qp = *qps_[index];
  const planner::CopyRun& run = job->runs[job->at];
  uint32_t key = 0;
  // Of the whole run, so that one that leaves the region is refused before its first byte.
  uint64_t room = job->remote->Resolve(run.target_region, run.target_offset, run.length,
                                       qp.far.key_column, &key);
  if (room == 0) return false;
  const uint64_t address = run.target_offset;
  if (room == run.length) room = UINT64_MAX;  // neighbours may follow it
  ibv_send_wr& wr = qp.Add();
  wr.wr.rdma.remote_addr = address;
  wr.wr.rdma.rkey = key;
  uint64_t bytes = 0;
  const bool inside =
      Gather(job, qp, std::min<uint64_t>(options_.write_bytes_max, room), &wr, &bytes);
  qp.sends().Charge(job, static_cast<uint32_t>(bytes));
  ++job->unacknowledged;
  if (!inside) return false;
  const uint32_t bit = 1u << index;
  if ((job->closes_left & bit) != 0 && qp.credits > 0 && !job->HasMore()) {
    FillImmediate(*job, &wr);
    --qp.credits;
    job->closes_left &= ~bit;
  }
  return true;
}

bool SourceDatapath::Gather(Job* job, const QueuePair& qp, uint64_t bytes_max, ibv_send_wr* wr,
                            uint64_t* bytes) {
  const size_t rail = qp.rail().index();
  std::byte* cpu[32];
  bool in_host = true;
  const uint32_t region = job->runs[job->at].target_region;
  uint64_t expected = job->runs[job->at].target_offset;
  const uint32_t first_key = wr->wr.rdma.rkey;
  while (*bytes < bytes_max && static_cast<uint32_t>(wr->num_sge) < qp.sizes().gather) {
    if (!job->HasMore()) break;
    planner::CopyRun& run = job->runs[job->at];
    if (run.target_region != region || run.target_offset != expected) break;
    uint32_t key = 0;
    uint32_t remote_key = 0;
    const uint64_t there =
        job->remote->Resolve(region, expected, run.length, qp.far.key_column, &remote_key);
    // A run that leaves the region is refused when it comes first.
    if (there == 0 || remote_key != first_key) break;
    const uint64_t here =
        job->local->Resolve(run.source_region, run.source_offset, run.length, rail, &key);
    if (here == 0) {
      if (wr->num_sge > 0) break;
      return false;
    }
    const uint64_t length = std::min({here, there, bytes_max - *bytes});
    std::byte* base = job->local->base(run.source_region);
    in_host = in_host && base != nullptr;
    cpu[wr->num_sge] = base == nullptr ? nullptr : base + run.source_offset;
    wr->sg_list[wr->num_sge++] = {
        .addr = run.source_offset, .length = static_cast<uint32_t>(length), .lkey = key};
    *bytes += length;
    expected += length;
    run.source_offset += length;
    run.target_offset += length;
    run.length -= length;
    if (run.length == 0) ++job->at;
  }
  if (in_host && *bytes <= qp.sizes().inline_bytes) {
    // The processor copies these into the work request: by its own addresses.
    for (int i = 0; i < wr->num_sge; ++i) {
      wr->sg_list[i].addr = reinterpret_cast<uintptr_t>(cpu[i]);
    }
    wr->send_flags |= IBV_SEND_INLINE;
  }
  return true;
}

void SourceDatapath::FillImmediate(const Job& job, ibv_send_wr* wr) {
  wr->opcode = IBV_WR_RDMA_WRITE_WITH_IMM;
  wr->imm_data = htonl(Pack(PartImmediate{job.segment.offer, job.segment.part}));
}

void SourceDatapath::Close(Job* job) {
  for (size_t i = 0; i < qps_.size(); ++i) {
    QueuePair& qp = *qps_[i];
    const uint32_t bit = 1u << i;
    if ((job->closes_left & bit) == 0 || !qp.CanAdd()) continue;
    if (qp.credits == 0) {
      if ((job->credit_waits & bit) == 0) qp.rail().metrics()->credit_waits.Add();
      job->credit_waits |= bit;
      continue;
    }
    ibv_send_wr& wr = qp.Add();
    wr.wr.rdma.remote_addr = 0;
    wr.wr.rdma.rkey = 0;
    FillImmediate(*job, &wr);
    qp.sends().Charge(job, 0);
    ++job->unacknowledged;
    --qp.credits;
    job->closes_left &= ~bit;
  }
  job->closes_left &= (1u << qps_.size()) - 1;
}

void SourceDatapath::Acknowledge(const SendLedger::Send& posted) {
  if (posted.job == nullptr) return;
  counters_->bytes_sent += posted.bytes;
  if (--posted.job->unacknowledged == 0 && posted.job->over) Finish(posted.job);
}

void SourceDatapath::Finish(Job* job) {
  events_->SegmentDone(job->segment.cookie, job->end);
  rooms_.Free(job);
}

void SourceDatapath::EndJobs(Job* jobs, const absl::Status& cause) {
  while (jobs != nullptr) {
    Job* job = jobs;
    jobs = job->next;
    job->over = true;
    if (job->end.ok()) job->end = cause;
    if (job->unacknowledged == 0) Finish(job);
  }
}

void SourceDatapath::End(OfferId offer, const absl::Status& cause) {
  EndJobs(rooms_.Take(offer), cause);
}

void SourceDatapath::CancelAll(const absl::Status& cause) {
  while (Job* jobs = rooms_.TakeAny()) EndJobs(jobs, cause);
}

void SourceDatapath::Blame(QueuePair* qp, uint32_t sequence, const absl::Status& cause) {
  Job* job = qp->sends().JobOf(sequence);
  if (job != nullptr && job->end.ok()) job->end = cause;
}

void SourceDatapath::Abandon(const absl::Status& cause) {
  CancelAll(Mark(cause, SegmentEnd::kFailed));
  for (QueuePair* qp : qps_) {
    qp->sends().CompleteAll([this, &cause](const SendLedger::Send& posted) {
      if (posted.job == nullptr) return;
      Job* job = posted.job;
      if (EndOf(job->end) != SegmentEnd::kDoubt) {
        job->end = Mark(job->end.ok() ? cause : job->end, SegmentEnd::kDoubt);
      }
      if (--job->unacknowledged == 0) Finish(job);
    });
  }
}

void SourceDatapath::ForgetMemory(const LocalMemory* local) {
  std::vector<OfferId> gone;
  rooms_.ForEach([&](OfferId offer, const Job& first) {
    if (first.local == local) gone.push_back(offer);
  });
  for (OfferId offer : gone) End(offer, absl::CancelledError("the memory is exported no more"));
}

}  // namespace baton::transport::verbs
