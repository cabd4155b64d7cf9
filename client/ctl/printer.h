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
  // `output` is "table" or "json"; `out` is borrowed.
  Printer(absl::string_view output, std::ostream* out) : json_(output == "json"), out_(out) {}

  // One answer.
  void Show(const google::protobuf::Message& message, const View& view);
  // One of many answers: a line of text, or the message on a line of its own. Flushes.
  void ShowLine(const google::protobuf::Message& message, absl::string_view line);

  bool json() const { return json_; }

 private:
  const bool json_;
  std::ostream* const out_;
};

}  // namespace baton::ctl

#endif  // BATON_CLIENT_CTL_PRINTER_H_
