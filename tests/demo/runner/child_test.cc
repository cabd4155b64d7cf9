#include "tests/demo/runner/child.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "tests/support/eventually.h"

namespace baton::demo {
namespace {

std::unique_ptr<Child> Shell(const std::string& script, int inherited_fd = -1) {
  static int number = 0;
  std::string log = std::string(getenv("TEST_TMPDIR")) + "/log." + std::to_string(++number);
  auto child = Child::Start({"shell", {"/bin/sh", "-c", script}, log, inherited_fd});
  EXPECT_TRUE(child.ok()) << child.status();
  return *std::move(child);
}

std::chrono::steady_clock::time_point In(int seconds) {
  return std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
}

TEST(Child, TellsHowItEnded) {
  auto child = Shell("exit 3");
  child->Reap(In(20));
  EXPECT_EQ(child->State(), "ended with status 3");
  child = Shell("kill -9 $$");
  child->Reap(In(20));
  EXPECT_EQ(child->State(), "was ended by signal 9");
}

TEST(Child, KeepsItsOutput) {
  auto child = Shell("echo one; echo two >&2; echo three");
  child->Reap(In(20));
  EXPECT_EQ(child->LogTail(2), "two\nthree");
}

TEST(Child, IsKilledWhenItDoesNotEnd) {
  auto child = Shell("trap '' TERM; echo ready; while :; do sleep 1; done");
  ASSERT_TRUE(Eventually([&] { return child->LogTail(1) == "ready"; }));
  EXPECT_EQ(child->State(), "is running");
  child->Terminate();
  child->Reap(In(0));
  EXPECT_EQ(child->State(), "was ended by signal 9");
}

TEST(Child, InheritsTheDescriptor) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  auto child = Shell("echo hello >&3", ends[1]);
  child->Reap(In(20));
  char text[16] = {};
  EXPECT_EQ(read(ends[0], text, sizeof(text)), 6);
  EXPECT_STREQ(text, "hello\n");
  close(ends[0]);
  close(ends[1]);
}

TEST(Child, SaysThatTheProgramIsMissing) {
  std::string log = std::string(getenv("TEST_TMPDIR")) + "/missing";
  auto child = Child::Start({"missing", {"/nonexistent/program"}, log});
  ASSERT_TRUE(child.ok());
  (*child)->Reap(In(20));
  EXPECT_EQ((*child)->State(), "ended with status 127");
  EXPECT_THAT((*child)->LogTail(5), testing::HasSubstr("cannot run /nonexistent/program"));
}

}  // namespace
}  // namespace baton::demo
