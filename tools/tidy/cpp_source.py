"""C++ text without its comments and literals, line for line, for rules about the code only."""
import re

_TOKEN = re.compile(
    r'//[^\n]*'
    r'|/\*.*?\*/'
    r'|(?:u8|[uUL])?R"(?P<tag>[^()\\\s]{0,16})\(.*?\)(?P=tag)"'
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|(?<![0-9a-fA-F])'(?:[^'\\\n]|\\.)+'",
    re.DOTALL)


def _blank(match: re.Match) -> str:
    text = match.group(0)
    lines = "\n" * text.count("\n")
    return ('""' if text[0] != "/" else " ") + lines


def strip(text: str) -> str:
    """Literals become "" and comments a blank; the number of lines stays."""
    return _TOKEN.sub(_blank, text)


def strip_comments(text: str) -> str:
    """Comments become a blank; the number of lines stays."""
    return _TOKEN.sub(lambda m: _blank(m) if m.group(0)[0] == "/" else m.group(0), text)


def strip_preprocessor(text: str) -> str:
    """Blanks directives, continued lines included."""
    return re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: "\n" * m.group(0).count("\n"), text,
                  flags=re.MULTILINE)


def outside_parens(head: str) -> str:
    """`head` without what stands in (), [] and template argument lists' parentheses."""
    out, depth = [], 0
    for c in head:
        if c in "([":
            depth += 1
        elif c in ")]":
            depth -= 1
            if depth == 0:
                out.append("()" if c == ")" else "[]")
        elif depth == 0:
            out.append(c)
    return "".join(out)


def without_angles(text: str) -> str:
    """`text` without template parameters and arguments."""
    before = None
    while text != before:
        before, text = text, re.sub(r"<[^<>]*>", "", text)
    return text


def skip_block(text: str, start: int, opens: str = "{", closes: str = "}") -> int:
    """The position after the brace that closes the one at `start`."""
    depth = 0
    for i in range(start, len(text)):
        if text[i] == opens:
            depth += 1
        elif text[i] == closes:
            depth -= 1
            if depth == 0:
                return i + 1
    return len(text)
