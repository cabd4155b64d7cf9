// Prints docs/configuration.md. `make docs` calls it.
#include <cstdio>

#include "admin/docs/configuration.h"

int main() { return fputs(baton::admin::ConfigurationMarkdown().c_str(), stdout) < 0; }
