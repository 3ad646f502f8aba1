"""What the door to the serialization library does beyond the library."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
import sys, threading
import msgspec
from penstock.codec import decode_json, decode_msgpack, encode_json, encode_msgpack

sys.setswitchinterval(1e-6)
kinds = []
for number in range(300):
    inner = msgspec.defstruct(f"Inner{number}", [(f"field{n}", int, n) for n in range(20)])
    kinds.append(msgspec.defstruct(f"Outer{number}", [(f"field{n}", inner | None, None) for n in range(20)]))
ready = threading.Barrier(8)

def work():
    ready.wait()
    for kind in kinds:
        assert decode_msgpack(encode_msgpack(kind()), kind) == kind()
        assert decode_json(encode_json(kind()), kind) == kind()

threads = [threading.Thread(target=work) for _ in range(8)]
for each in threads:
    each.start()
for each in threads:
    each.join()
"""


def test_threads_may_decode_a_record_for_the_first_time_at_once() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
