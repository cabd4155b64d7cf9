"""A fuzzer's corpus as one text file: an input a line, in base64, sorted.

    corpus.py unpack FILE FOLDER     nothing when the file is not there
    corpus.py pack FOLDER FILE
"""
import base64
import os
import sys


def unpack(file: str, folder: str) -> None:
    if not os.path.exists(file):
        return
    with open(file, encoding="ascii") as lines:
        for number, line in enumerate(lines):
            with open(os.path.join(folder, "%05d" % number), "wb") as out:
                out.write(base64.b64decode(line))


def pack(folder: str, file: str) -> None:
    inputs = []
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), "rb") as data:
            inputs.append(data.read())
    inputs.sort(key=lambda data: (len(data), data))
    with open(file, "w", encoding="ascii") as out:
        for data in inputs:
            out.write(base64.b64encode(data).decode("ascii") + "\n")


if __name__ == "__main__":
    {"pack": pack, "unpack": unpack}[sys.argv[1]](sys.argv[2], sys.argv[3])
