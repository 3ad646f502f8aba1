"""What holds for all tests."""

import compileall
from pathlib import Path

import pytest
from hypothesis import settings

# A deadline would be a timed test: on a busy machine it says nothing about the code.
settings.register_profile("penstock", deadline=None)
settings.load_profile("penstock")

SOURCES = Path(__file__).parents[1] / "src"


def pytest_configure(config: pytest.Config) -> None:
    """Compile our modules once: where PYTHONDONTWRITEBYTECODE is set, every process of a test would do it anew."""
    if not hasattr(config, "workerinput"):
        compileall.compile_dir(SOURCES, quiet=1)
