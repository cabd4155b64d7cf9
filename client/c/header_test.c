/* The headers are C, and a C program can say everything with them. */
#include <stdio.h>

#include "client/c/baton.h"

int main(void) {
  if (baton_abi_version() < BATON_ABI_VERSION) return 1;
  baton_options options = {.struct_size = sizeof options};
  options.role = BATON_ROLE_DECODE;
  baton_client* client = NULL;
  baton_error error = {.struct_size = sizeof error};
  if (baton_attach(&options, &client, &error) != BATON_E_BAD_MESSAGE || client != NULL) return 2;
  printf("%s %s: %s\n", baton_version(), baton_code_name(error.code), error.text);
  return 0;
}
