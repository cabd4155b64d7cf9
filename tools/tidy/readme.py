"""The README's example is the marked part of a file that compiles, word for word."""
import re
import textwrap

from tools.tidy import finding

# In the README: <!-- from: PATH --> and then a fenced block. In the file: `// README: begin` and
# `// README: end` around the part.
_BLOCK = re.compile(r"<!-- from: (\S+) -->\n```\w*\n(.*?)```", re.DOTALL)
_PART = re.compile(r"^[ \t]*// README: begin\n(.*?)^[ \t]*// README: end\n",
                   re.DOTALL | re.MULTILINE)


def check(path: str, text: str, read) -> list[finding.Finding]:
    found = []
    for match in _BLOCK.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        source = match.group(1)
        try:
            part = _PART.search(read(source))
        except OSError:
            found.append(finding.Finding(path, line, "example", "there is no " + source))
            continue
        if part is None:
            found.append(finding.Finding(path, line, "example", source + " marks no part"))
        elif textwrap.dedent(part.group(1)) != match.group(2):
            found.append(finding.Finding(path, line, "example", "differs from " + source))
    return found
