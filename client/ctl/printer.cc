#include "client/ctl/printer.h"

#include <google/protobuf/util/json_util.h>

#include "common/log.h"

namespace baton::ctl {
namespace {

std::string ToJson(const google::protobuf::Message& message, bool lines) {
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = lines;
  // A script finds every field, also one that is zero, under the schema's name.
  options.always_print_primitive_fields = true;
  options.preserve_proto_field_names = true;
  std::string json;
  CHECK(google::protobuf::util::MessageToJsonString(message, &json, options).ok());
  return json;
}

}  // namespace

void Printer::Show(const google::protobuf::Message& message, const View& view) {
  *out_ << (json_ ? ToJson(message, true) : Render(view, wide_)) << std::flush;
}

void Printer::ShowLine(const google::protobuf::Message& message, absl::string_view line) {
  if (json_) {
    *out_ << ToJson(message, false);
  } else {
    out_->write(line.data(), static_cast<std::streamsize>(line.size()));
  }
  *out_ << std::endl;
}

void Printer::ShowText(absl::string_view text) {
  out_->write(text.data(), static_cast<std::streamsize>(text.size()));
  *out_ << std::flush;
}

}  // namespace baton::ctl
