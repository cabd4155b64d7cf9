#include "transfer_agent/transport/shm/channel_setup.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/memfd.h"
#include "common/reason.h"
#include "common/unix_socket.h"
#include "transfer_agent/transport/shm/source_datapath.h"
#include "transfer_agent/transport/shm/target_datapath.h"

namespace baton::transport::shm {
namespace {

absl::StatusOr<std::string> RandomName() {
  char bytes[8];
  if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes)) return SystemError("getrandom", errno);
  return absl::StrCat("baton-shm-", absl::BytesToHexString({bytes, sizeof(bytes)}));
}

absl::StatusOr<std::string> BootId() {
  const char* const path = "/proc/sys/kernel/random/boot_id";
  UniqueFd fd(open(path, O_RDONLY | O_CLOEXEC));
  char text[64];
  const ssize_t n = fd ? read(fd.get(), text, sizeof(text)) : -1;
  if (n <= 0) return SystemError(path, errno);
  return std::string(text, n - (text[n - 1] == '\n'));
}

// Two agents can share memory when these are equal: the kernel's start, and for the abstract
// namespace also the network namespace that its names live in.
absl::StatusOr<std::string> HostKey(bool abstract_socket) {
  absl::StatusOr<std::string> key = BootId();
  if (!key.ok() || !abstract_socket) return key;
  struct stat net {};
  if (stat("/proc/self/ns/net", &net) != 0) return SystemError("/proc/self/ns/net", errno);
  return absl::StrCat(*key, "/net:", net.st_ino);
}

// Length of the address of abstract `name`; 0: too long.
socklen_t AbstractAddress(absl::string_view name, sockaddr_un* address) {
  *address = {};
  address->sun_family = AF_UNIX;
  if (name.empty() || name.size() > sizeof(address->sun_path) - 1) return 0;
  std::memcpy(address->sun_path + 1, name.data(), name.size());
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
}

UniqueFd NewSocket() {
  return UniqueFd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

}  // namespace

ShmPath::~ShmPath() {
  if (!address_.empty() && address_[0] == '/') unlink(address_.c_str());
}

const Capabilities& ShmPath::capabilities() const {
  static constexpr Capabilities kCapabilities{
      .name = "shm", .local_fence = true, .same_host = true, .checksums = true};
  return kCapabilities;
}

absl::StatusOr<UniqueFd> ShmPath::Listen() {
  absl::StatusOr<std::string> key = HostKey(options_.socket_folder.empty());
  if (!key.ok()) return key.status();
  host_key_ = *std::move(key);
  absl::StatusOr<std::string> name = RandomName();
  if (!name.ok()) return name.status();
  if (options_.socket_folder.empty()) return ListenAbstract(*name);
  const std::string path = absl::StrCat(options_.socket_folder, "/", *name, ".sock");
  absl::StatusOr<UniqueFd> fd = ListenSeqPacket(path, 256);
  if (fd.ok()) address_ = path;
  return fd;
}

absl::StatusOr<UniqueFd> ShmPath::ListenAbstract(const std::string& name) {
  UniqueFd fd = NewSocket();
  if (!fd) return SystemError("socket", errno);
  sockaddr_un address;
  const socklen_t size = AbstractAddress(name, &address);
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(fd.get(), 256) != 0) {
    return SystemError(absl::StrCat("listen on abstract socket ", name), errno);
  }
  address_ = absl::StrCat("@", name);
  return fd;
}

absl::Status ShmPath::Adopt(int) { return absl::OkStatus(); }

void ShmPath::FillOpen(v1::StreamOpen* open) const { open->set_host_key(host_key_); }

absl::Status ShmPath::CheckOpen(const v1::StreamOpen& open) const {
  if (open.host_key() == host_key_) return absl::OkStatus();
  return Error(
      Reason::kNoTransport,
      absl::StrCat("shm needs one host and one socket namespace: the source is on \"",
                   absl::CHexEscape(open.host_key()), "\", the target on \"", host_key_, "\""));
}

void ShmPath::FillAccept(v1::StreamAccept* accept) const { accept->set_host(address_); }

absl::StatusOr<UniqueFd> ShmPath::Connect(const v1::StreamAccept& accept) {
  absl::string_view name = accept.host();
  if (!absl::ConsumePrefix(&name, "@")) {
    if (name.empty() || name[0] != '/') {
      return Error(Reason::kBadMessage, "channel accept: the socket is no path");
    }
    return ConnectSeqPacket(accept.host());
  }
  UniqueFd fd = NewSocket();
  if (!fd) return SystemError("socket", errno);
  sockaddr_un address;
  const socklen_t size = AbstractAddress(name, &address);
  if (size == 0) return Error(Reason::kBadMessage, "channel accept: bad socket name");
  if (connect(fd.get(), reinterpret_cast<sockaddr*>(&address), size) != 0) {
    return Error(Reason::kTransport, absl::StrCat("connect to ", absl::CHexEscape(accept.host()),
                                                  ": ", strerror(errno)));
  }
  return fd;
}

absl::Status ShmPath::CheckMemory(absl::Span<const LocalRegion> regions) const {
  if (regions.size() > kRegionsPerMemoryMax) {
    return Error(Reason::kTooLarge,
                 absl::StrCat("shm: ", regions.size(), " regions, at most ", kRegionsPerMemoryMax));
  }
  for (const LocalRegion& region : regions) {
    if (region.dma_buf) continue;  // refused with its own reason
    absl::Status sealed = CheckSealed(region.fd, region.size);
    if (!sealed.ok()) return sealed;
  }
  return absl::OkStatus();
}

std::unique_ptr<SourceLink> ShmPath::NewSource(const LinkContext& context) {
  return std::make_unique<SourceDatapath>(context);
}

std::unique_ptr<TargetLink> ShmPath::NewTarget(const LinkContext& context) {
  return std::make_unique<TargetDatapath>(context);
}

}  // namespace baton::transport::shm
