#include "transfer_agent/transport/verbs/queue_pairs.h"

#include <algorithm>
#include <cstring>

#include "common/log.h"

namespace baton::transport::verbs {

QueuePairs::~QueuePairs() {
  for (const Down& d : down_) d.rail->provider().DestroyQp(d.qp);
}

absl::StatusOr<std::unique_ptr<QueuePair>> QueuePairs::Make(Rail* rail, QueueUse use,
                                                            uint32_t windows, Channel* channel,
                                                            uint32_t index) {
  absl::StatusOr<uint16_t> number = places_.Take();
  if (!number.ok()) return number.status();
  Place& place = places_[*number];
  auto qp =
      MakeQueuePair(rail, SizesOf(options_, *rail, use, windows), use, *number, place.generation);
  if (!qp.ok()) {
    places_.GiveBack(*number);
    return qp;
  }
  place.qp = qp->get();
  place.channel = channel;
  place.index = index;
  return qp;
}

bool QueuePairs::Reset(const Rail& rail, ibv_qp* qp) {
  ibv_qp_attr attr{};
  attr.qp_state = IBV_QPS_RESET;
  const int error = rail.provider().ModifyQp(qp, &attr, IBV_QP_STATE);
  if (error != 0) {
    LOG(ERROR) << "verbs " << rail.name() << " queue pair " << qp->qp_num
               << " cannot be reset: " << std::strerror(error);
  }
  return error == 0;
}

bool QueuePairs::TakeDown(const QueuePair& qp, bool keyless) {
  places_.Free(qp.place());
  Down d{.rail = &qp.rail(), .qp = qp.qp(), .completions = qp.sizes().completions(), .until = {}};
  d.reset = Reset(*d.rail, d.qp);
  const bool gone = !d.reset && d.rail->provider().DestroyQp(d.qp) == 0;
  if (d.reset || gone) d.rail->ReleaseWhenEmpty(d.completions);
  if (gone) return true;
  d.refused = !d.reset && !keyless;
  refused_ += d.refused ? 1 : 0;
  down_.push_back(d);
  return d.reset;
}

void QueuePairs::Sweep(TimePoint now) {
  for (size_t left = down_.size(); left > 0; --left) {
    Down d = down_.front();
    down_.pop_front();
    if (!d.reset && Reset(*d.rail, d.qp)) {
      d.reset = true;
      refused_ -= d.refused ? 1 : 0;
      d.rail->ReleaseWhenEmpty(d.completions);
    }
    if (!d.until.has_value()) d.until = now + options_.retry_horizon();
    const bool due = d.reset && *d.until <= now;
    if (!due || d.rail->provider().DestroyQp(d.qp) != 0) down_.push_back(d);
  }
}

std::optional<TimePoint> QueuePairs::NextDue() const {
  std::optional<TimePoint> next;
  for (const Down& d : down_) {
    if (d.until.has_value() && (!next.has_value() || *d.until < *next)) next = d.until;
  }
  return next;
}

size_t QueuePairs::InReset(const Rail& rail) const {
  return std::count_if(down_.begin(), down_.end(), [&](const Down& d) { return d.rail == &rail; });
}

const Place* QueuePairs::Find(const ibv_qp* qp) const {
  for (const Place& place : places_.all()) {
    if (place.qp != nullptr && place.qp->qp() == qp) return &place;
  }
  return nullptr;
}

}  // namespace baton::transport::verbs
