"""What Baton's calls raise."""

from __future__ import annotations

import ctypes

from baton import _abi


class BatonError(Exception):
    """A call failed, or a room did.

    Attributes:
      reason: a name of docs/errors.md, such as "ROOM_IN_USE".
      rank: the rank that is to blame, "prefill-a[dp0/pp0/cp0/tp1]"; empty where none is.
      text: what is wrong.
      cure: what to do about it.
    """

    def __init__(self, reason: str, text: str, rank: str = "", cure: str = "") -> None:
        self.reason = reason
        self.text = text
        self.rank = rank
        self.cure = cure
        where = f" (rank {rank})" if rank and rank not in text else ""
        what_to_do = f"; {cure}" if cure and cure not in text else ""
        super().__init__(f"{reason}: {text}{where}{what_to_do}")

    def __reduce__(self):
        return type(self), (self.reason, self.text, self.rank, self.cure)


class Full(BatonError):
    """The ring or the table of rooms has no place now: poll, close rooms that ended, try again."""


def new_error() -> _abi.Error:
    """An error for a call to fill."""
    return _abi.sized(_abi.Error)


def to_exception(code: int, error: _abi.Error) -> BatonError:
    """The exception for a call that answered `code`."""
    reason = _abi.code_name(code).decode()
    server = error.server.decode(errors="replace")
    rank = ""
    if server:
        at = error.coord
        rank = f"{server}[dp{at.dp}/pp{at.pp}/cp{at.cp}/tp{at.tp}]"
    kind = Full if reason == "FULL" else BatonError
    text = error.text.decode(errors="replace")
    return kind(reason, text, rank, _abi.code_help(code).decode())


def check(function, *arguments) -> None:
    """Calls `function(*arguments, error)` and raises what it says."""
    error = new_error()
    code = function(*arguments, ctypes.byref(error))
    if code:
        raise to_exception(code, error)
