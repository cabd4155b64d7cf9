#include "common/log_writer.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "common/unique_fd.h"
#include "tests/support/eventually.h"

namespace baton {
namespace {

struct Pipe {
  Pipe() {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    read_end.Reset(ends[0]);
    write_end.Reset(ends[1]);
  }
  UniqueFd read_end;
  UniqueFd write_end;
};

std::string ReadUntil(int fd, const std::string& last) {
  std::string all;
  char buffer[65536];
  while (all.find(last) == std::string::npos) {
    const ssize_t n = read(fd, buffer, sizeof(buffer));
    if (n <= 0) break;
    all.append(buffer, n);
  }
  return all;
}

TEST(LogWriter, WritesLinesInTheirOrder) {
  Pipe pipe;
  LogWriter writer(pipe.write_end.get());
  EXPECT_TRUE(writer.Write("one\n"));
  EXPECT_TRUE(writer.Write("two\n"));
  EXPECT_EQ(ReadUntil(pipe.read_end.get(), "two\n"), "one\ntwo\n");
  writer.Drain(std::chrono::seconds(60));
  EXPECT_EQ(writer.lost(), 0u);
}

// Seen with standard error a pipe that nobody read: after 64 KiB whoever logged hung.
TEST(LogWriter, DoesNotWaitForAPipeThatNobodyReads) {
  Pipe pipe;
  LogWriter writer(pipe.write_end.get());
  const std::string line = std::string(999, 'x') + "\n";
  uint64_t written = 0;
  for (int i = 0; i < 3000; ++i) written += writer.Write(line) ? 1 : 0;
  EXPECT_EQ(writer.lost(), 3000 - written);
  EXPECT_GE(writer.lost(), 1000u);
  // Nobody reads: there is no room to say so.
  EXPECT_EQ(writer.TakeLost(), 0u);
  std::string all;
  char buffer[65536];
  while (all.size() < written * line.size()) {
    const ssize_t n = read(pipe.read_end.get(), buffer, sizeof(buffer));
    ASSERT_GT(n, 0);
    all.append(buffer, n);
  }
  writer.Drain(std::chrono::seconds(60));
  EXPECT_EQ(writer.TakeLost(), 3000 - written);
  EXPECT_EQ(writer.TakeLost(), 0u);
  EXPECT_TRUE(writer.Write("again\n"));
  EXPECT_EQ(ReadUntil(pipe.read_end.get(), "again\n"), "again\n");
}

TEST(LogWriter, EndsThoughItsThreadIsStuck) {
  Pipe pipe;
  {
    LogWriter writer(pipe.write_end.get());
    for (int i = 0; i < 300; ++i) writer.Write(std::string(1000, 'x'));
  }
  // Whoever was stuck goes on once somebody reads.
  EXPECT_EQ(ReadUntil(pipe.read_end.get(), std::string(300000, 'x')).size(), 300000u);
}

}  // namespace
}  // namespace baton
