// A vector whose elements keep their address while it grows, and which is small while it is empty
// (an empty std::deque holds half a kilobyte). Thread-compatible.
#ifndef BATON_COMMON_STABLE_VECTOR_H_
#define BATON_COMMON_STABLE_VECTOR_H_

#include <cstddef>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

namespace baton {

template <typename T>
class StableVector {
  using Slots = std::vector<std::unique_ptr<T>>;

 public:
  template <typename Inner, typename Value>
  class Walker {
   public:
    explicit Walker(Inner at) : at_(at) {}
    Value& operator*() const { return **at_; }
    Value* operator->() const { return at_->get(); }
    Walker& operator++() {
      ++at_;
      return *this;
    }
    bool operator==(const Walker&) const = default;

    using difference_type = std::ptrdiff_t;
    using value_type = T;
    using pointer = Value*;
    using reference = Value&;
    using iterator_category = std::input_iterator_tag;

   private:
    Inner at_;
  };
  using iterator = Walker<typename Slots::iterator, T>;
  using const_iterator = Walker<typename Slots::const_iterator, const T>;

  template <typename... Args>
  T& emplace_back(Args&&... args) {
    slots_.push_back(std::make_unique<T>(std::forward<Args>(args)...));
    return *slots_.back();
  }

  T& operator[](size_t i) { return *slots_[i]; }
  const T& operator[](size_t i) const { return *slots_[i]; }
  T& front() { return *slots_.front(); }
  const T& front() const { return *slots_.front(); }
  T& back() { return *slots_.back(); }
  const T& back() const { return *slots_.back(); }
  size_t size() const { return slots_.size(); }
  bool empty() const { return slots_.empty(); }
  iterator begin() { return iterator(slots_.begin()); }
  iterator end() { return iterator(slots_.end()); }
  const_iterator begin() const { return const_iterator(slots_.begin()); }
  const_iterator end() const { return const_iterator(slots_.end()); }

 private:
  Slots slots_;
};

}  // namespace baton

#endif  // BATON_COMMON_STABLE_VECTOR_H_
