// docs/configuration.md, from the tables of both programs.
#ifndef BATON_ADMIN_DOCS_CONFIGURATION_H_
#define BATON_ADMIN_DOCS_CONFIGURATION_H_

#include <string>

namespace baton::admin {

std::string ConfigurationMarkdown();

}  // namespace baton::admin

#endif  // BATON_ADMIN_DOCS_CONFIGURATION_H_
