"""The command blocks of a Markdown page, and a script that runs them one after the other.

    ```sh          commands; all must succeed
    ```console     `$ command`, then what it prints: `...` alone stands for any lines, within a line
                   for any text, and white space counts as one blank

A comment right before a block says that it is not run, and why:

    <!-- not run: REASON -->
    <!-- cluster -->        kubectl commands, which are held against the manifests instead
"""
import dataclasses
import re

_FENCE = re.compile(r"(?m)(?:^<!-- (?P<mark>not run: [^>]+|cluster) -->\n+)?"
                    r"^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.DOTALL)


@dataclasses.dataclass
class Block:
    line: int
    kind: str
    text: str
    mark: str  # empty: it is run


@dataclasses.dataclass
class Command:
    text: str
    output: list[str]


def blocks(page: str) -> list[Block]:
    found = []
    for match in _FENCE.finditer(page):
        line = page.count("\n", 0, match.start("kind")) + 1
        found.append(Block(line, match["kind"], match["text"], match["mark"] or ""))
    return found


def of_commands(page: str) -> list[Block]:
    return [b for b in blocks(page) if b.kind in ("sh", "console")]


def commands(block: Block) -> list[Command]:
    """Of a console block. A line that ends in a backslash goes on."""
    found = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append(Command(line[2:], []))
        elif found and not found[-1].output and found[-1].text.endswith("\\"):
            found[-1].text += "\n" + line.removeprefix("> ")
        elif found:
            found[-1].output.append(line)
        else:
            found.append(Command("false # output before any command", [line]))
    return found


def script(page: str, out: str) -> str:
    """What a console's commands print goes to files OUT/LINE.NUMBER."""
    lines = ["set -eu"]
    for block in of_commands(page):
        if block.mark:
            continue
        lines.append("echo '@@ line %d'" % block.line)
        if block.kind == "sh":
            lines.append(block.text)
            continue
        for number, command in enumerate(commands(block)):
            path = "%s/%d.%d" % (out, block.line, number)
            lines.append("{ %s\n} >%s 2>&1 || { cat %s; exit 1; }" % (command.text, path, path))
    return "\n".join(lines) + "\n"


def _pattern(line: str) -> str:
    if line.strip() == "...":
        return r"(?:.*\n)*?"
    words = [r"\S*(?:.*\S)?".join(map(re.escape, word.split("..."))) for word in line.split()]
    return r"\s*" + r"[ \t]+".join(words) + r"[ \t]*\n"


def fits(expected: list[str], printed: str) -> bool:
    if not any(line.strip() for line in expected):
        return True
    text = "".join(line.rstrip() + "\n" for line in printed.splitlines() if line.strip())
    pattern = "".join(_pattern(line) for line in expected if line.strip())
    return re.fullmatch(pattern, text) is not None
