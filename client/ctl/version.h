// The version of batonctl.
#ifndef BATON_CLIENT_CTL_VERSION_H_
#define BATON_CLIENT_CTL_VERSION_H_

namespace baton::ctl {

inline constexpr char kVersionText[] = "0.1.0";

}  // namespace baton::ctl

#endif  // BATON_CLIENT_CTL_VERSION_H_
