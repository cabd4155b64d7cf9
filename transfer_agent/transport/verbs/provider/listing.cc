#include "transfer_agent/transport/verbs/provider/listing.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>

#include <algorithm>
#include <cstring>
#include <fstream>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace baton::transport::verbs {
namespace {

// From the root of the PCI domain on; empty for a device that is on no PCI bus (soft-RoCE).
std::string PciPath(const ibv_device* device) {
  const std::string link = absl::StrCat(device->ibdev_path, "/device");
  char real[PATH_MAX];
  if (realpath(link.c_str(), real) == nullptr) return "";
  const absl::string_view path(real);
  const size_t root = path.find("/pci");
  return root == absl::string_view::npos ? "" : std::string(path.substr(root + 1));
}

int NumaNode(const ibv_device* device) {
  int node = -1;
  std::ifstream(absl::StrCat(device->ibdev_path, "/device/numa_node")) >> node;
  return node;
}

GidType TypeOf(uint32_t type) {
  switch (type) {
    case IBV_GID_TYPE_ROCE_V2:
      return GidType::kRoceV2;
    case IBV_GID_TYPE_ROCE_V1:
      return GidType::kRoceV1;
    default:
      return GidType::kInfiniband;
  }
}

std::vector<GidListing> Gids(ibv_context* context, uint32_t port, int entries) {
  std::vector<GidListing> gids;
  for (int i = 0; i < entries; ++i) {
    ibv_gid_entry entry{};
    if (ibv_query_gid_ex(context, port, i, &entry, 0) != 0) continue;
    GidListing gid;
    gid.index = entry.gid_index;
    gid.type = TypeOf(entry.gid_type);
    std::copy(std::begin(entry.gid.raw), std::end(entry.gid.raw), gid.bytes.begin());
    char name[IF_NAMESIZE];
    if (entry.ndev_ifindex != 0 && if_indextoname(entry.ndev_ifindex, name) != nullptr) {
      gid.netdev = name;
    }
    gids.push_back(std::move(gid));
  }
  return gids;
}

void ListDevice(ibv_device* device, std::vector<PortListing>* ports) {
  PortListing listing;
  listing.device = device->name;
  listing.pci_path = PciPath(device);
  listing.numa_node = NumaNode(device);
  ibv_context* context = ibv_open_device(device);
  ibv_device_attr attributes{};
  if (context == nullptr || ibv_query_device(context, &attributes) != 0) {
    listing.error = absl::StrCat("cannot be opened: ", std::strerror(errno),
                                 " (is /dev/infiniband here, with access?)");
    ports->push_back(listing);
    if (context != nullptr) ibv_close_device(context);
    return;
  }
  for (uint32_t port = 1; port <= attributes.phys_port_cnt; ++port) {
    PortListing& out = ports->emplace_back(listing);
    out.port = port;
    ibv_port_attr attr{};
    if (ibv_query_port(context, port, &attr) != 0) {
      out.error = absl::StrCat("query_port: ", std::strerror(errno));
      continue;
    }
    out.active = attr.state == IBV_PORT_ACTIVE;
    out.infiniband = attr.link_layer == IBV_LINK_LAYER_INFINIBAND;
    out.lid = attr.lid;
    out.mtu_bytes = 128u << attr.active_mtu;
    out.gids = Gids(context, port, attr.gid_tbl_len);
  }
  ibv_close_device(context);
}

}  // namespace

std::vector<PortListing> ListPorts() {
  std::vector<PortListing> ports;
  int count = 0;
  ibv_device** devices = ibv_get_device_list(&count);
  if (devices == nullptr) return ports;
  for (int i = 0; i < count; ++i) ListDevice(devices[i], &ports);
  ibv_free_device_list(devices);
  return ports;
}

}  // namespace baton::transport::verbs
