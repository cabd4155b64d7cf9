#include "transfer_agent/transport/verbs/send_rooms.h"

namespace baton::transport::verbs {

Job* SendRooms::Add(const Segment& segment) {
  Job* job = free_jobs_;
  if (job != nullptr) {
    free_jobs_ = job->next;
  } else {
    job = &all_jobs_.emplace_back();
  }
  job->segment = segment;
  job->at = job->count = job->closes_left = job->unacknowledged = 0;
  job->over = false;
  job->end = absl::OkStatus();
  job->next = nullptr;
  ++jobs_;

  SendRoom*& room = rooms_[segment.offer];
  if (room == nullptr) {
    room = free_rooms_;
    if (room != nullptr) {
      free_rooms_ = room->next;
    } else {
      room = &all_rooms_.emplace_back();
    }
    *room = {.offer = segment.offer};
  }
  if (room->first != nullptr) {
    room->last = room->last->next = job;
    return job;
  }
  room->first = room->last = job;
  Return(room);
  return job;
}

SendRoom* SendRooms::Next() {
  SendRoom* room = ring_first_;
  if (room == nullptr) return nullptr;
  ring_first_ = room->next;
  if (ring_first_ == nullptr) ring_last_ = nullptr;
  room->next = nullptr;
  --waiting_;
  return room;
}

void SendRooms::Return(SendRoom* room) {
  if (room->first == nullptr) return Forget(room);
  room->next = nullptr;
  (ring_last_ != nullptr ? ring_last_->next : ring_first_) = room;
  ring_last_ = room;
  ++waiting_;
}

Job* SendRooms::Pop(SendRoom* room) {
  Job* job = room->first;
  room->first = job->next;
  if (room->first == nullptr) room->last = nullptr;
  job->next = nullptr;
  return job;
}

void SendRooms::Unlink(SendRoom* room) {
  SendRoom* before = nullptr;
  for (SendRoom* at = ring_first_; at != nullptr; before = at, at = at->next) {
    if (at != room) continue;
    (before != nullptr ? before->next : ring_first_) = room->next;
    if (ring_last_ == room) ring_last_ = before;
    --waiting_;
    return;
  }
}

void SendRooms::Forget(SendRoom* room) {
  rooms_.erase(room->offer);
  room->next = free_rooms_;
  free_rooms_ = room;
}

Job* SendRooms::Take(OfferId offer) {
  auto it = rooms_.find(offer);
  if (it == rooms_.end()) return nullptr;
  SendRoom* room = it->second;
  Job* jobs = room->first;
  Unlink(room);
  Forget(room);
  return jobs;
}

void SendRooms::Free(Job* job) {
  job->end = absl::OkStatus();
  job->next = free_jobs_;
  free_jobs_ = job;
  --jobs_;
}

}  // namespace baton::transport::verbs
