// What a queue pair has posted, until it has completed. It completes in order, so that one
// completion stands for all before it. Allocates nothing after the constructor. Thread-compatible.
#ifndef BATON_TRANSFER_AGENT_TRANSPORT_VERBS_SEND_LEDGER_H_
#define BATON_TRANSFER_AGENT_TRANSPORT_VERBS_SEND_LEDGER_H_

#include <bit>
#include <cstdint>
#include <vector>

namespace baton::transport::verbs {

struct Job;

class SendLedger {
 public:
  struct Send {
    Job* job = nullptr;  // null: a word, a probe, a bind
    uint32_t bytes = 0;
  };

  explicit SendLedger(uint32_t sends) : most_(sends), sends_(std::bit_ceil(sends)) {}

  // Sends added so far, and those of them that have completed.
  uint64_t added() const { return tail_; }
  uint64_t completed() const { return head_; }
  bool full() const { return tail_ - head_ >= most_; }
  // Nothing is posted or about to be.
  bool idle() const { return head_ == tail_; }
  uint64_t bytes() const { return bytes_; }

  // The number of the next one, which it takes. Not full().
  uint32_t Add() { return static_cast<uint32_t>(tail_++); }
  // Of what was added last.
  void Charge(Job* job, uint32_t bytes) {
    At(tail_ - 1) = {job, bytes};
    bytes_ += bytes;
  }
  // That number has completed: calls each(send) for it and all before it. One that is not under way
  // (a repeated completion) changes nothing.
  template <typename Each>
  void Complete(uint32_t number, Each each) {
    const uint32_t ahead = number - static_cast<uint32_t>(head_);
    if (ahead >= tail_ - head_) return;
    for (const uint64_t end = head_ + ahead + 1; head_ != end; ++head_) {
      const Send& send = At(head_);
      bytes_ -= send.bytes;
      each(send);
    }
  }
  template <typename Each>
  void CompleteAll(Each each) {
    if (head_ != tail_) Complete(static_cast<uint32_t>(tail_ - 1), each);
  }
  // Whose that number is, while it is under way; null: nobody's.
  Job* JobOf(uint32_t number) {
    const uint32_t ahead = number - static_cast<uint32_t>(head_);
    return ahead < tail_ - head_ ? At(head_ + ahead).job : nullptr;
  }

 private:
  Send& At(uint64_t number) { return sends_[number & (sends_.size() - 1)]; }

  const uint32_t most_;
  std::vector<Send> sends_;  // a power of two, so that finding one is no division
  uint64_t head_ = 0;
  uint64_t tail_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace baton::transport::verbs

#endif  // BATON_TRANSFER_AGENT_TRANSPORT_VERBS_SEND_LEDGER_H_
