// Where answers go, and in which form: the one place that knows of -o.
#ifndef BATON_CLIENT_CTL_PRINTER_H_
#define BATON_CLIENT_CTL_PRINTER_H_

#include <google/protobuf/message.h>

#include <ostream>
#include <string>

#include "absl/strings/string_view.h"
#include "client/ctl/view.h"

namespace baton::ctl {

class Printer {
 public:
  // `output` is "table", "wide" or "json"; `out` is borrowed; `terminal`: it is one.
  Printer(absl::string_view output, std::ostream* out, bool terminal)
      : json_(output == "json"), wide_(output == "wide"), terminal_(terminal), out_(out) {}

  // One answer.
  void Show(const google::protobuf::Message& message, const View& view);
  // One of many answers: a line of text, or the message on a line of its own. Flushes.
  void ShowLine(const google::protobuf::Message& message, absl::string_view line);

  // Text as it is: scripts, screens. Flushes.
  void ShowText(absl::string_view text);

  bool json() const { return json_; }
  bool wide() const { return wide_; }
  bool terminal() const { return terminal_; }

 private:
  const bool json_;
  const bool wide_;
  const bool terminal_;
  std::ostream* const out_;
};

}  // namespace baton::ctl

#endif  // BATON_CLIENT_CTL_PRINTER_H_
