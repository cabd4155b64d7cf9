"""Writes a C program that prints what the ABI's headers promise: each struct with the place and
size of every field, and each constant.

    abi_dump.py HEADER... > abi_dump.c
"""
import re
import sys

STRUCT = re.compile(r"typedef struct (\w+) \{(.*?)\} \1;", re.S)
FIELD = re.compile(r"(\w+)(?:\[\d+\])?;")
CONSTANT = re.compile(r"#define (BATON_(?!API\b)\w+) +(\d+)")
COMMENT = re.compile(r"/\*.*?\*/", re.S)


def structs(text: str):
    """(name, fields) of each struct that is defined, in order."""
    for name, body in STRUCT.findall(COMMENT.sub("", text)):
        yield name, FIELD.findall(body)


def program(headers: list[str]) -> str:
    """The C program for the texts of the headers."""
    lines = ["#include <stddef.h>", "#include <stdio.h>", "", '#include "client/c/baton.h"', "",
             "int main(void) {"]
    for text in headers:
        for name, value in CONSTANT.findall(text):
            lines.append('  printf("%s %%u\\n", (unsigned)%s);' % (name, name))
    for text in headers:
        for name, fields in structs(text):
            lines.append('  printf("%s %%zu\\n", sizeof(%s));' % (name, name))
            for field in fields:
                lines.append('  printf("  %s %%zu %%zu\\n", offsetof(%s, %s), '
                             "sizeof(((%s*)0)->%s));" % (field, name, field, name, field))
    return "\n".join(lines + ["  return 0;", "}", ""])


def main():
    texts = []
    for path in sys.argv[1:]:
        with open(path, encoding="utf-8") as file:
            texts.append(file.read())
    sys.stdout.write(program(texts))


if __name__ == "__main__":
    main()
