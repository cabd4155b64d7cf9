// batonctl completion
#include <string>

#include "client/ctl/commands.h"
#include "common/reason.h"

namespace baton::ctl {
namespace {

// Both scripts hand the words up to the cursor to this program, which knows its verbs and flags, so
// they need no change when those do.
constexpr char kBash[] =
    R"(# bash completion of batonctl. In ~/.bashrc: source <(batonctl completion bash)
_batonctl() {
  local line=${COMP_LINE:0:$COMP_POINT} words=() cur
  # COMP_WORDS splits at "=" and ":"; the words of a shell's line are wanted.
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  cur=${words[-1]}
  COMPREPLY=()
  local candidate rest behind
  while IFS= read -r candidate; do
    if [[ $candidate == FILE ]]; then
      compopt -o filenames 2> /dev/null
      mapfile -t -O ${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "${cur#--*=}")
      continue
    fi
    # bash replaces only what stands behind the last "=" or ":".
    rest=$candidate
    behind=${cur##*[=:]}
    [[ $cur == *[=:]* && $rest == "${cur%"$behind"}"* ]] && rest=${rest#"${cur%"$behind"}"}
    COMPREPLY+=("$rest")
  done < <("${words[0]}" __complete "${words[@]:1}" 2> /dev/null)
  [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2> /dev/null
  return 0
}
complete -F _batonctl batonctl
)";

constexpr char kZsh[] = R"(#compdef batonctl
# zsh completion of batonctl. In ~/.zshrc, after compinit: source <(batonctl completion zsh)
_batonctl() {
  local -a candidates
  local candidate
  for candidate in "${(@f)$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2> /dev/null)}"; do
    if [[ $candidate == FILE ]]; then
      compset -P '--*='
      _files
    elif [[ -n $candidate ]]; then
      candidates+=("$candidate")
    fi
  done
  compadd -S '' -- ${(M)candidates:#*=}
  compadd -- ${candidates:#*=}
}
compdef _batonctl batonctl
)";

absl::Status Run(const Invocation& call) {
  const std::string& shell = call.arguments[0];
  if (shell != "bash" && shell != "zsh") {
    return Error(Reason::kConfig, "completion takes bash or zsh, not '" + shell + "'");
  }
  call.printer->ShowText(shell == "bash" ? kBash : kZsh);
  return absl::OkStatus();
}

}  // namespace

const Command kCompletion = {
    "completion",
    "bash|zsh",
    "A script that lets the shell complete verbs, flags and names of servers.",
    R"(Names of servers are asked of the bootstrap service in BATON_BOOTSTRAP, for half a second at
most.

  source <(batonctl completion bash)
  batonctl completion zsh > ~/.zfunc/_batonctl)",
    1,
    1,
    nullptr,
    Run,
    ArgumentKind::kShell,
};

}  // namespace baton::ctl
