"""What users test with: a clock that is moved by hand, instances and runs for tests, the contract of storages."""

from .clock import FakeClock
from .instance import add_run, instance_for_test

__all__ = ["FakeClock", "add_run", "instance_for_test"]
