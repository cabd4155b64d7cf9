"""How much a class does: methods without constructors, destructors and operators; fields without
static ones. Told from the text alone: a reader's measure, no compiler's."""
import re

from tools.tidy import cpp_source
from tools.tidy import finding

METHODS = 25
FIELDS = 15
EXCEPTIONS = "tools/tidy/large_classes.txt"

_CLASS = re.compile(r"^(?:template\s*)?(?:class|struct)\s+(?:\w+\(\)\s+|ABSL_\w+\s+)*([\w:]+)"
                    r"(?:\s+final)?\s*(?::(?!:)[^()]*)?$")
_MARKS = re.compile(r"\b(?:[A-Z][A-Z_0-9]+|alignas|__attribute__)\s*\(\)|\[\[.*?\]\]", re.DOTALL)
_LABEL = re.compile(r"^\s*(?:public|private|protected)\s*$")
_SCOPE = re.compile(r'^(?:inline\s+)?namespace\b|^extern\s*""')
_NO_FIELD = re.compile(r"(?:using|typedef|friend|static|enum)\b|"
                       r"(?:class|struct|union)\s+\w+$")


def _plain(head: str) -> str:
    """What stands before a brace or semicolon, without arguments and annotations."""
    text = re.sub(r"\boperator\s*(\(\s*\)|[^\s\w(]+)", "operator_", head)
    text = cpp_source.without_angles(cpp_source.outside_parens(text)).strip()
    return text if text.startswith(("class", "struct")) else _MARKS.sub("", text).strip()


def _statements(text: str, begin: int) -> list[tuple[int, str]]:
    """(position, statement) up to the brace that closes the scope. A block is {} there; that of a
    function ends a statement."""
    found, head, start, i = [], "", begin, begin
    while i < len(text) and text[i] != "}":
        c = text[i]
        if c in "([":
            end = cpp_source.skip_block(text, i, c, ")" if c == "(" else "]")
            head, i = head + text[i:end], end
        elif c == "{":
            head, i = head + "{}", cpp_source.skip_block(text, i)
            before = _plain(head).split("{")[0]
            is_function = "()" in before and "=" not in before
            if is_function and not re.match(r"\s*[,{]", text[i:]):
                found.append((start, head))
                head, start = "", i
        elif c == ";" or (c == ":" and _LABEL.match(head)):
            if c == ";":
                found.append((start, head))
            head, i = "", i + 1
            start = i
        else:
            head, i = head + c, i + 1
    return found


def _count(name: str, head: str) -> tuple[int, int]:
    """(methods, fields) that one statement of the class `name` declares."""
    text = re.sub(r"^template\s*", "", _plain(head))
    declared = re.split(r"=|\{", text)[0].strip()
    if not declared or text.startswith(("friend", "static_assert")):
        return 0, 0
    if "()" in declared:
        called = re.search(r"([~\w]+)\s*\(\)", declared)
        other = not called or called.group(1) in (name, "~" + name, "operator_")
        return (0 if other or "operator" in declared else 1), 0
    if _NO_FIELD.match(declared) or (_CLASS.match(declared) and "{" in text and text[-1] == "}"):
        return 0, 0
    return 0, 1 + text.count(",")


def _scan(text: str, begin: int, path: list[str], found: list) -> None:
    """Adds the classes of the scope that begins there."""
    for start, head in _statements(text, begin):
        opened = _CLASS.match(_plain(head.split("{}")[0])) if "{}" in head else None
        if not opened:
            continue
        brace = text.index("{", start)
        inside = path + [opened.group(1)]
        counts = [_count(opened.group(1).split("::")[-1], h)
                  for _, h in _statements(text, brace + 1)]
        found.append(("::".join(inside), text.count("\n", 0, brace) + 1,
                      sum(c[0] for c in counts), sum(c[1] for c in counts)))
        _scan(text, brace + 1, inside, found)


def _flatten(text: str) -> str:
    """`text` without the braces of its namespaces: everything is in one scope."""
    out, head, i = list(text), 0, 0
    while i < len(text):
        if text[i] == "{" and not _SCOPE.match(text[head:i].strip()):
            i = head = cpp_source.skip_block(text, i)
            continue
        if text[i] == "{":
            out[head:i + 1] = re.sub(r"\S", " ", text[head:i + 1])
        elif text[i] == "}":
            out[i] = " "
        if text[i] in "{};":
            head = i + 1
        i += 1
    return "".join(out)


def measure(source: str) -> list[tuple[str, int, int, int]]:
    """(name, line, methods, fields) of every class and struct with a body."""
    text = _flatten(cpp_source.strip_preprocessor(cpp_source.strip(source)))
    found = []
    _scan(text, 0, [], found)
    return found


class Classes:
    """The limits, and the classes that are over them still, each with its figures."""

    def __init__(self, paths: list[str], read):
        self._listed = {}  # (path, class): (line, methods, fields)
        lines = read(EXCEPTIONS).splitlines() if EXCEPTIONS in paths else []
        for number, line in enumerate(lines, 1):
            if line and not line.startswith("#"):
                path, name, methods, fields = line.split(maxsplit=4)[:4]
                self._listed[path, name] = (number, int(methods), int(fields))
        self._stale = dict(self._listed)

    def check(self, path: str, text: str) -> list[finding.Finding]:
        found = []
        for name, line, methods, fields in measure(text):
            if methods <= METHODS and fields <= FIELDS:
                continue
            self._stale.pop((path, name), None)
            _, listed_methods, listed_fields = self._listed.get((path, name),
                                                                (0, METHODS, FIELDS))
            if methods > listed_methods or fields > listed_fields:
                what = "the limit is %d and %d" % (listed_methods, listed_fields)
            elif (methods, fields) != (listed_methods, listed_fields):
                what = "fewer than %s has: lower it there" % EXCEPTIONS
            else:
                continue
            found.append(finding.Finding(path, line, "class", "%s has %d methods and %d fields, %s"
                                         % (name, methods, fields, what)))
        return found

    def finish(self) -> list[finding.Finding]:
        """After the last check: exceptions that nothing needs."""
        return [finding.Finding(EXCEPTIONS, figures[0], "class",
                                "%s is not over the limits: take the line out" % name)
                for (_, name), figures in self._stale.items()]
