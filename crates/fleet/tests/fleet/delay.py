"""Passes frames on between two interfaces, each frame after a while: what netem does, on any kernel.

Usage: delay.py INTERFACE OTHER DELAY_MS JITTER_MS. Frames keep their order.
"""

import collections
import random
import select
import socket
import sys
import time

ALL_PROTOCOLS = 3
SOL_PACKET, PACKET_VNET_HDR, PACKET_OUTGOING = 263, 15, 4
LONGEST = 1 << 17


def port(name):
    """All that comes by an interface, with what the kernel has not yet done about it: checksums and segments."""
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PROTOCOLS))
    opened.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    opened.bind((name, ALL_PROTOCOLS))
    return opened


def main():
    ports = [port(name) for name in sys.argv[1:3]]
    delay, jitter = (float(text) / 1000 for text in sys.argv[3:5])
    waiting = {ports[0]: collections.deque(), ports[1]: collections.deque()}
    others = {ports[0]: ports[1], ports[1]: ports[0]}
    while True:
        dues = [queue[0][0] for queue in waiting.values() if queue]
        patience = max(0.0, min(dues) - time.monotonic()) if dues else None
        readable, _, _ = select.select(ports, [], [], patience)
        now = time.monotonic()
        for source in readable:
            frame, address = source.recvfrom(LONGEST)
            if address[2] == PACKET_OUTGOING:
                continue
            queue = waiting[others[source]]
            due = now + delay + random.random() * jitter
            queue.append((max(due, queue[-1][0]) if queue else due, frame))
        for target, queue in waiting.items():
            while queue and queue[0][0] <= now:
                try:
                    target.send(queue.popleft()[1])
                except OSError:
                    pass  # The cable is pulled: lost, as on any cable.


main()
