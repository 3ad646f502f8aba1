"""What tags may say that the daemon heeds, and what is said of those that mean nothing."""

from __future__ import annotations

import pytest

from penstock.engine.run_tags import check_tags, runtime_allowed
from penstock.errors import ConfigurationError

RESUMES, RUNTIME = "penstock/max_resume_run_attempts", "penstock/max_runtime"


@pytest.mark.parametrize(
    "tags", [{}, {RESUMES: "0", RUNTIME: "0"}, {RESUMES: "12", RUNTIME: "1.5"}, {RUNTIME: "1e3", "team": "many"}]
)
def test_what_means_something_passes(tags: dict[str, str]) -> None:
    check_tags(tags)


@pytest.mark.parametrize("value", ["many", "-1", "1.5", "", "\u0663"])
def test_resumes_that_are_no_number_are_refused(value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{RESUMES} has the value {value!r}; give a whole number from 0 on"):
        check_tags({RESUMES: value})


@pytest.mark.parametrize("value", ["an hour", "-1", "nan", "inf", ""])
def test_a_time_that_is_no_number_of_seconds_is_refused(value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{RUNTIME} has the value {value!r}; give seconds, 0 for no limit"):
        check_tags({RUNTIME: value})


def test_a_tag_comes_before_what_else_holds() -> None:
    assert runtime_allowed({}, 60.0) == 60.0
    assert runtime_allowed({RUNTIME: "5"}, 60.0) == 5.0
    assert runtime_allowed({RUNTIME: "soon"}, 60.0) is None
