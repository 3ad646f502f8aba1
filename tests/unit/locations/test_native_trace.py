"""What `faulthandler` writes becomes frames that begin with the user's own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from penstock.definitions import load
from penstock.locations.native_trace import frames_of


def test_a_fault_in_imported_code_shows_the_users_line(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text("import ctypes\n\ndef broken():\n    ctypes.string_at(0)\n\nbroken()\n")
    said = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", "import importlib; importlib.import_module('shop')"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    ).stderr
    frames = frames_of(said)
    mine = [(frame.file, frame.line, frame.function, frame.code) for frame in frames if "shop.py" in frame.file]
    file = str(tmp_path / "shop.py")
    assert mine == [(file, 6, "<module>", "broken()"), (file, 4, "broken", "ctypes.string_at(0)")]
    assert [frame.user for frame in frames if "shop.py" in frame.file] == [True, True]


def test_frames_of_ours_before_the_users_are_left_out() -> None:
    text = (
        "Fatal Python error: Segmentation fault\n\n"
        "Current thread 0x01 (most recent call first):\n"
        '  File "/shop.py", line 3 in <module>\n'
        '  File "<frozen importlib._bootstrap>", line 241 in _call_with_frames_removed\n'
        f'  File "{load.__file__}", line 10 in load_definitions\n'
    )
    assert [frame.file for frame in frames_of(text)] == ["/shop.py"]


def test_a_text_without_frames_has_none() -> None:
    assert frames_of("") == ()
    assert frames_of("Killed\n") == ()
