"""Unpacks raw samples with numpy, once for each line of its input, and prints the seconds that took: width, height, bits (10 and 12 as CSI-2 packs
them, 16 as words)."""

import sys
import time

import numpy as np

width, height, bits = (int(arg) for arg in sys.argv[1:4])
group, samples = {10: (5, 4), 12: (3, 2), 16: (2, 1)}[bits]
row = width // samples * group
stride = (row + 63) // 64 * 64
packed = np.random.default_rng(1).integers(0, 256, stride * height, dtype=np.uint8)


def unpack():
    rows = packed.reshape(height, stride)[:, :row]
    if bits == 16:
        return np.ascontiguousarray(rows).view("<u2").copy()
    groups = rows.reshape(height, -1, group)
    out = np.empty((height, width), np.uint16)
    low = groups[:, :, group - 1]
    each = 8 // samples
    for i in range(samples):
        high = groups[:, :, i].astype(np.uint16) << each
        out[:, i::samples] = high | (low >> (each * i)) & ((1 << each) - 1)
    return out


for _ in sys.stdin:
    begin = time.perf_counter()
    result = unpack()
    print(time.perf_counter() - begin, flush=True)
