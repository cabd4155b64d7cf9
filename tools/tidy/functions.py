"""How long each C++ function is, told from its braces alone: a reader's measure, no compiler's."""
import re

from tools.tidy import cpp_source

_SCOPE = re.compile(r"\b(namespace|class|struct|union|enum)\b|\bextern\s*\"\"")
_OPERATOR = re.compile(r"\boperator\s*(\(\s*\)|[^\s\w(]+)")
_NAME = re.compile(r"([~\w:]+)\s*\($")


def _opens(head: str) -> str:
    """What the brace after `head` opens: 'scope', 'function' or 'value'."""
    plain = cpp_source.without_angles(cpp_source.outside_parens(_OPERATOR.sub("operator_", head)))
    if "=" in plain:
        return "value"
    if "()" not in plain:
        return "scope" if _SCOPE.search(plain) else "value"
    # A constructor's `: member_` before its brace is a value; `: member_()` ends in a body.
    initialisers = re.search(r"\(\)[^:]*[^:]:(?!:)(.*)$", plain, re.DOTALL)
    if initialisers and re.search(r"[\w>]\s*$", plain):
        return "value"
    if _SCOPE.match(plain.strip()) and not re.search(r"\(\)\s*$", plain):
        return "scope"  # class ABSL_LOCKABLE(...) Name
    return "function"


def _name(head: str) -> str:
    depth, text = 0, _OPERATOR.sub("operator_", head)
    for i, c in enumerate(text):
        if c == "(":
            if depth == 0:
                match = _NAME.search(text[:i + 1])
                if match and not match.group(1).startswith(("ABSL_", "__attribute__", "alignas")):
                    return match.group(1) + (text[i:] if match.group(1).startswith("TEST") else "")
            depth += 1
        elif c == ")":
            depth -= 1
    return "?"


def measure(source: str) -> list[tuple[str, int, int]]:
    """(name, first line, lines) of every function body; a lambda belongs to its function."""
    text = cpp_source.strip_preprocessor(cpp_source.strip(source))
    found = []
    head_start, i = 0, 0
    while i < len(text):
        c = text[i]
        if c in ";}":
            head_start = i + 1
        elif c == ":" and re.search(r"\b(public|private|protected)\s*$", text[head_start:i]):
            head_start = i + 1
        elif c == "{":
            head = text[head_start:i]
            kind = _opens(head)
            if kind == "scope":
                head_start = i + 1
            else:
                end = cpp_source.skip_block(text, i)
                if kind == "function":
                    begin = head_start + len(head) - len(head.lstrip())
                    first = text.count("\n", 0, begin) + 1
                    last = text.count("\n", 0, end) + 1
                    found.append((" ".join(_name(head.strip()).split()), first, last - first + 1))
                    head_start = end
                i = end
                continue
        i += 1
    return found
