"""The README's example is the marked part of a file that compiles, word for word."""
import re
import textwrap

from tools.tidy import finding

# In the README: <!-- from: PATH [name] --> and then a fenced block. In the file: the part stands
# between two lines `// [name]`.
_BLOCK = re.compile(r"<!-- from: (\S+) \[(\w+)\] -->\n```\w*\n(.*?)```", re.DOTALL)


def _part(source: str, name: str) -> str | None:
    marker = r"^[ \t]*// \[%s\]\n" % name
    match = re.search(marker + r"(.*?)" + marker, source, re.DOTALL | re.MULTILINE)
    return textwrap.dedent(match.group(1)) if match else None


def check(path: str, text: str, read) -> list[finding.Finding]:
    found = []
    for match in _BLOCK.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        source, name, shown = match.groups()
        try:
            part = _part(read(source), name)
        except OSError:
            found.append(finding.Finding(path, line, "example", "there is no " + source))
            continue
        if part is None:
            what = "%s has no part [%s]" % (source, name)
            found.append(finding.Finding(path, line, "example", what))
        elif part != shown:
            found.append(finding.Finding(path, line, "example", "differs from " + source))
    return found
