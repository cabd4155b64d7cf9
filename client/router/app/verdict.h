// What a decode server's answer says, before the client is told anything of it: is it an answer, or
// did the hand-off fail? A stream is held until its first event with content, because engines open
// it before they know. Pure; thread-compatible.
#ifndef BATON_CLIENT_ROUTER_APP_VERDICT_H_
#define BATON_CLIENT_ROUTER_APP_VERDICT_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace baton::proxy {

class Judge {
 public:
  enum class Verdict : uint8_t {
    kWait,    // nothing can be said yet
    kPass,    // what is held, and what follows, is the client's
    kFailed,  // another pair may do better: why()
  };

  // What is held of a stream that never says anything.
  static constexpr size_t kHeldMax = 256 << 10;

  // `streams`: the client asked for a stream, so that the answer is one unless it is an error.
  explicit Judge(bool streams) : streams_(streams) {}

  // The answer has begun.
  void OnHead(int status);
  // More of its body.
  Verdict OnBody(absl::string_view bytes);
  // It is whole.
  Verdict OnEnd();

  // Whether it goes to the client piece by piece.
  bool passes_pieces() const { return streams_ && status_ < 400; }
  int status() const { return status_; }
  const std::string& held() const { return held_; }
  const std::string& why() const { return why_; }

 private:
  Verdict JudgeWhole();
  Verdict JudgeEvent(absl::string_view event);
  Verdict Fail(std::string why);

  bool streams_;
  int status_ = 0;
  std::string held_;
  size_t judged_ = 0;  // bytes of events that said nothing
  std::string why_;
};

// "HTTP 500: words", cut to a line for logs and clients.
std::string Brief(int status, absl::string_view body);

}  // namespace baton::proxy

#endif  // BATON_CLIENT_ROUTER_APP_VERDICT_H_
