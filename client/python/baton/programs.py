"""The programs that come in the wheel, under their own names on the PATH."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def path(name: str) -> Path:
    """Where a program is: baton-bootstrap, baton-agent or batonctl."""
    return Path(__file__).parent / "bin" / name


def _become(name: str) -> None:
    program = path(name)
    if not program.exists():
        sys.exit(f"{program} is missing: install Baton's wheel (make wheel)")
    os.execv(program, [name, *sys.argv[1:]])


def bootstrap() -> None:
    """baton-bootstrap."""
    _become("baton-bootstrap")


def agent() -> None:
    """baton-agent."""
    _become("baton-agent")


def batonctl() -> None:
    """batonctl."""
    _become("batonctl")
