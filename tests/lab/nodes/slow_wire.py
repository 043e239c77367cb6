"""A slow cable, for kernels without netem: a process that passes Ethernet frames on, later.

`python slow_wire.py CABLE TAP DELAY_MS RATE_MBIT LOSS_PERCENT LAB` holds the tap device TAP, which stands on
the bridge in place of the cable, and passes frames between the two until it ends (and the tap with it).
"""

import contextlib
import fcntl
import heapq
import os
import random
import selectors
import socket
import struct
import sys
import time
from collections.abc import Callable

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
EVERY_PROTOCOL = 0x0003
LARGEST = 1 << 16
QUEUE = 1000  # frames of one direction on their way, as netem's default limit


class Direction:
    """Frames on their way to one end."""

    def __init__(self, send: Callable[[bytes], object], delay: float, rate: float, loss: float) -> None:
        self._send, self._delay, self._rate, self._loss = send, delay, rate, loss
        self._waiting: list[tuple[float, int, bytes]] = []
        self._count = 0
        self._free_at = 0.0  # when the cable will have carried what is already on it

    def take(self, frame: bytes, now: float) -> None:
        if len(self._waiting) >= QUEUE or random.random() < self._loss:
            return
        self._free_at = max(self._free_at, now) + (len(frame) * 8 / self._rate if self._rate else 0)
        self._count += 1
        heapq.heappush(self._waiting, (self._free_at + self._delay, self._count, frame))

    def deliver(self, now: float) -> None:
        while self._waiting and self._waiting[0][0] <= now:
            with contextlib.suppress(OSError):  # an end that is down loses frames, like a cable that is out
                self._send(heapq.heappop(self._waiting)[2])

    def due(self) -> float:
        return self._waiting[0][0] if self._waiting else float("inf")


def main(cable: str, tap: str, delay_ms: str, rate_mbit: str, loss_percent: str, _lab: str) -> None:
    """Pass frames on until killed."""
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH22x", tap.encode(), IFF_TAP | IFF_NO_PI))
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(EVERY_PROTOCOL))
    wire.bind((cable, 0))
    wire.setblocking(False)
    slowness = float(delay_ms) / 1000, float(rate_mbit) * 1e6, float(loss_percent) / 100
    to_node = Direction(wire.send, *slowness)
    to_bridge = Direction(lambda frame: os.write(device, frame), *slowness)
    ready = selectors.DefaultSelector()
    ready.register(device, selectors.EVENT_READ, (lambda: os.read(device, LARGEST), to_node))
    ready.register(wire, selectors.EVENT_READ, (lambda: _received(wire), to_bridge))
    while True:
        wait = min(to_node.due(), to_bridge.due()) - time.monotonic()
        for key, _ in ready.select(None if wait == float("inf") else max(wait, 0)):
            receive, direction = key.data
            frame = receive()
            if frame:
                direction.take(frame, time.monotonic())
        now = time.monotonic()
        to_node.deliver(now)
        to_bridge.deliver(now)


def _received(wire: socket.socket) -> bytes:
    frame, address = wire.recvfrom(LARGEST)
    return b"" if address[2] == socket.PACKET_OUTGOING else frame  # type: ignore[attr-defined]


if __name__ == "__main__":
    main(*sys.argv[1:])
