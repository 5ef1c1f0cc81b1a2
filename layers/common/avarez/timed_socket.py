"""A socket whose whole conversation has one deadline and one size.

A timeout of a socket bounds one read, not an exchange: who sends a byte every few seconds would hold us for ever.
Here every read and write gets what is left of one deadline, and headers count as well as the body.
"""

from __future__ import annotations

import io
import socket
import time
from typing import Any


class TimedSocket:
    """A socket as `http.client` uses one, with one deadline for all that is written and read.

    More than `bytes_max` bytes of an answer, and what comes after `deadline`, are an OSError.
    """

    def __init__(self, connected: socket.socket, deadline: float, bytes_max: int) -> None:
        self._connected = connected
        self._deadline = deadline
        self._bytes_max = bytes_max

    def sendall(self, sent: bytes) -> None:
        self._connected.settimeout(left_s(self._deadline))
        self._connected.sendall(sent)

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reads(self._connected, self._deadline, self._bytes_max))

    def close(self) -> None:
        """Nothing: `http.client` closes before it has read an answer that ends with the connection."""


class _Reads(io.RawIOBase):
    """What comes in, until the deadline or the size is reached."""

    def __init__(self, connected: socket.socket, deadline: float, bytes_max: int) -> None:
        self._connected = connected
        self._deadline = deadline
        self._room = bytes_max

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._connected.settimeout(left_s(self._deadline))
        count = self._connected.recv_into(buffer)
        self._room -= count
        if self._room < 0:
            raise OSError("the answer is too long")
        return count


def left_s(deadline: float) -> float:
    """What is left until `deadline`, an instant of the monotonic clock, in seconds.

    Raises:
        TimeoutError: nothing is.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
