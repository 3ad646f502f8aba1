"""What holds for all tests."""

from hypothesis import settings

# A deadline would be a timed test: on a busy machine it says nothing about the code.
settings.register_profile("penstock", deadline=None)
settings.load_profile("penstock")
