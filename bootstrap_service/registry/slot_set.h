// The set of live slots of a server. Its size is a consequence of its members, never counted apart:
// a rank that comes twice is in it once.
#ifndef BATON_BOOTSTRAP_SERVICE_REGISTRY_SLOT_SET_H_
#define BATON_BOOTSTRAP_SERVICE_REGISTRY_SLOT_SET_H_

#include <cstdint>
#include <vector>

namespace baton::registry {

class SlotSet {
 public:
  explicit SlotSet(uint32_t slots) : member_(slots, false) {}

  // False when it was a member already.
  bool Insert(uint32_t slot) {
    if (member_[slot]) return false;
    member_[slot] = true;
    ++size_;
    return true;
  }
  // False when it was none.
  bool Erase(uint32_t slot) {
    if (!member_[slot]) return false;
    member_[slot] = false;
    --size_;
    return true;
  }
  bool Contains(uint32_t slot) const { return member_[slot]; }
  uint32_t size() const { return size_; }
  bool full() const { return size_ == member_.size(); }
  bool empty() const { return size_ == 0; }

 private:
  std::vector<bool> member_;
  uint32_t size_ = 0;
};

}  // namespace baton::registry

#endif  // BATON_BOOTSTRAP_SERVICE_REGISTRY_SLOT_SET_H_
