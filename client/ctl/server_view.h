// A server's record as tables.
#ifndef BATON_CLIENT_CTL_SERVER_VIEW_H_
#define BATON_CLIENT_CTL_SERVER_VIEW_H_

#include <string>
#include <vector>

#include "baton/v1/registry.pb.h"
#include "client/ctl/view.h"

namespace baton::ctl {

// One row a server.
std::vector<std::string> ServerColumns();
std::vector<std::string> ServerRow(const v1::ServerRecord& server);
// Everything of one server.
View ServerDetails(const v1::ServerRecord& server);

// "dp1 pp2 cp1 tp8".
std::string ShowSizes(const v1::RankCoord& sizes);
// "6/8": slots with a live lease, of all.
std::string ShowFilled(const v1::ServerRecord& server);

}  // namespace baton::ctl

#endif  // BATON_CLIENT_CTL_SERVER_VIEW_H_
