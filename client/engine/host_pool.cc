#include "client/engine/host_pool.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fstream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/reason.h"

namespace baton {
namespace {

struct Range {
  uint64_t begin = 0;
  uint64_t end = 0;
};

absl::Status Refused(const std::string& name, Range range, absl::string_view why) {
  return Error(Reason::kBadRegion, absl::StrCat(name, ": memory 0x", absl::Hex(range.begin), "-0x",
                                                absl::Hex(range.end), " cannot be adopted: ", why));
}

// A line of /proc/self/maps: "begin-end perms offset device inode path".
struct Area {
  Range range;
  std::string permissions;
  std::string inode;
  std::string path;
};

bool Parse(const std::string& line, Area* area) {
  std::vector<std::string> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
  if (words.size() < 5) return false;
  std::vector<std::string> ends = absl::StrSplit(words[0], '-');
  if (ends.size() != 2 || !absl::SimpleHexAtoi(ends[0], &area->range.begin) ||
      !absl::SimpleHexAtoi(ends[1], &area->range.end)) {
    return false;
  }
  area->permissions = words[1];
  area->inode = words[4];
  area->path = words.size() > 5 ? words[5] : "";
  return true;
}

// By the system call itself: these whole pages hold what is not the caller's too, such as the
// guards that a sanitizer's allocator puts around a block, and neither memcpy nor pwrite would be
// let read those.
absl::Status CopyInto(int fd, const void* from, uint64_t size) {
  uint64_t done = 0;
  while (done < size) {
    const int64_t n = syscall(SYS_pwrite64, fd, static_cast<const char*>(from) + done, size - done,
                              static_cast<int64_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return SystemError(absl::StrCat("copying ", size, " bytes into a memfd"), errno);
    done += n;
  }
  return absl::OkStatus();
}

absl::Status CheckArea(const std::string& name, Range range, const Area& area) {
  if (area.inode != "0") {
    return Refused(name, range, absl::StrCat("there is a file behind it, ", area.path));
  }
  if (area.permissions.substr(0, 2) != "rw" || area.permissions[3] != 'p') {
    return Refused(name, range,
                   absl::StrCat("it is not private, writable memory but ", area.permissions));
  }
  if (absl::StartsWith(area.path, "[stack")) return Refused(name, range, "it is a stack");
  return absl::OkStatus();
}

// Every byte of the range lies in memory that a memfd may replace.
absl::Status CheckAdoptable(const std::string& name, Range range) {
  std::ifstream maps("/proc/self/maps");
  uint64_t reached = range.begin;
  std::string line;
  while (reached < range.end && std::getline(maps, line)) {
    Area area;
    if (!Parse(line, &area) || area.range.end <= reached) continue;
    if (area.range.begin > reached) break;
    if (absl::Status s = CheckArea(name, range, area); !s.ok()) return s;
    reached = area.range.end;
  }
  if (reached >= range.end) return absl::OkStatus();
  return Refused(name, range, absl::StrCat("nothing is mapped at 0x", absl::Hex(reached)));
}

}  // namespace

absl::StatusOr<HostPool> HostPool::Create(const std::string& name, uint64_t bytes) {
  absl::StatusOr<UniqueFd> fd = CreateSealedMemfd(name, bytes);
  if (!fd.ok()) return fd.status();
  absl::StatusOr<Mapping> mapping = MapShared(fd->get(), bytes, Access::kReadWrite);
  if (!mapping.ok()) return mapping.status();
  HostPool pool;
  pool.name_ = name;
  pool.fd_ = *std::move(fd);
  pool.owned_ = *std::move(mapping);
  pool.base_ = pool.owned_.base();
  pool.bytes_ = bytes;
  return pool;
}

absl::StatusOr<HostPool> HostPool::Adopt(const std::string& name, void* address, uint64_t bytes,
                                         Around around) {
  const auto begin = reinterpret_cast<uint64_t>(address);
  const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  if (bytes == 0 || bytes > UINT64_MAX - begin - page) {
    return Refused(name, {begin, begin + bytes}, "it has no bytes, or more than there are");
  }
  const Range whole{begin / page * page, (begin + bytes + page - 1) / page * page};
  if (around == Around::kRefuse && (whole.begin != begin || whole.end != begin + bytes)) {
    return Refused(name, {begin, begin + bytes},
                   absl::StrCat("it is not whole pages of ", page,
                                " bytes: align it, or let what shares its pages move along"));
  }
  if (absl::Status s = CheckAdoptable(name, whole); !s.ok()) return s;

  const uint64_t size = whole.end - whole.begin;
  absl::StatusOr<UniqueFd> fd = CreateSealedMemfd(name, size);
  if (!fd.ok()) return fd.status();
  void* place = reinterpret_cast<void*>(whole.begin);
  if (absl::Status s = CopyInto(fd->get(), place, size); !s.ok()) return s;
  // One step for the kernel: a reader beside us sees the old memory or its equal.
  if (mmap(place, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd->get(), 0) ==
      MAP_FAILED) {
    return SystemError(absl::StrCat("mapping a memfd over ", size, " bytes of ", name), errno);
  }
  HostPool pool;
  pool.name_ = name;
  pool.fd_ = *std::move(fd);
  pool.base_ = static_cast<std::byte*>(place);
  pool.bytes_ = size;
  pool.offset_ = begin - whole.begin;
  return pool;
}

}  // namespace baton
