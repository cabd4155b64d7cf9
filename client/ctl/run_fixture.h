// What the tests of batonctl share: a run over services that answer from memory.
#ifndef BATON_CLIENT_CTL_RUN_FIXTURE_H_
#define BATON_CLIENT_CTL_RUN_FIXTURE_H_

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "client/ctl/fake_services.h"
#include "client/ctl/run.h"

namespace baton::ctl {

template <typename Message>
Message Text(const std::string& text) {
  Message message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &message)) << text;
  return message;
}

class RunTest : public testing::Test {
 protected:
  ExitCode Ctl(const std::vector<std::string>& args) {
    out_.str("");
    err_.str("");
    return ctl::Run(
        args,
        [this](const char* name) {
          auto found = environment_.find(name);
          return found == environment_.end() ? nullptr : found->second.c_str();
        },
        [this](const Options& options) {
          options_ = options;
          return std::make_unique<FakeServices>(&answers_);
        },
        out_, err_, terminal_);
  }
  std::string out() const { return out_.str(); }
  std::string err() const { return err_.str(); }

  FakeAnswers answers_;
  Options options_;
  std::map<std::string, std::string> environment_;
  std::ostringstream out_, err_;
  bool terminal_ = false;
};

}  // namespace baton::ctl

#endif  // BATON_CLIENT_CTL_RUN_FIXTURE_H_
