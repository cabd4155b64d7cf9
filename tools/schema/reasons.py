"""Reads the table of reasons in common/reason.h."""
import dataclasses
import re

_ROW = re.compile(r'X\(k(\w+), ([A-Z_]+), k(\w+),\s*((?:"[^"]*"\s*)+)\)')


@dataclasses.dataclass
class Reason:
    number: int
    name: str
    code: str  # of gRPC, as it is written there
    help: str


def read(header: str) -> list[Reason]:
    """The rows in order; their place is their number."""
    start = header.index("#define BATON_REASONS(X)")
    table = header[start:header.index("enum class Reason")].replace("\\\n", "\n")
    rows = []
    for match in _ROW.finditer(table):
        code = re.sub(r"(?<!^)(?=[A-Z])", "_", match.group(3)).upper()
        text = "".join(re.findall(r'"([^"]*)"', match.group(4)))
        rows.append(Reason(len(rows), match.group(2), code, text))
    if len(rows) != table.count("X(k"):
        raise ValueError("common/reason.h: a row of BATON_REASONS is not understood")
    return rows
