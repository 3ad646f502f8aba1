"""The block `alerts` of `penstock.yaml`: what it may say, what is said about mistakes, and what is never shown."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from penstock.errors import SettingsError
from penstock.instance.settings import FILE_NAME, Settings, render_settings
from penstock.instance.settings_file import read_settings


def read(home: Path, text: str, environ: dict[str, str] | None = None) -> Settings:
    (home / FILE_NAME).write_text(text, encoding="utf-8")
    return read_settings(home, environ or {})


RULE = """
alerts:
  rules:
    - name: nightly
      when: [run_failure, check_failed]
      where: {job: "night*", tags: {team: data}}
      to:
        - slack: {url: {env: HOOK}}
        - webhook: {url: "https://a.example", headers: {Authorization: {env: HOOK}}}
        - slack: {url: {env: HOOK}}
        - email: {recipients: [a@b.example], sender: p@b.example, host: mail, username: u, password: {env: HOOK}}
      throttle_seconds: 5
"""


def test_a_rule_is_read(tmp_path: Path) -> None:
    settings = read(tmp_path, RULE, {"HOOK": "https://s3cret"})
    (rule,) = settings.alerts.decided
    assert (rule.name, rule.throttle) == ("nightly", 5.0)
    assert sorted(rule.kinds) == ["check_failed", "run_failure"]
    assert (rule.where.job, rule.where.tags) == ("night*", {"team": "data"})
    assert rule.targets == ("slack", "webhook", "slack 2", "email")
    webhook = settings.alerts.rules[0].targets["webhook"].webhook
    assert webhook is not None
    assert webhook.headers == {"Authorization": "https://s3cret"}
    assert "s3cret" not in render_settings(settings)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("when: [run_failed]", 'did you mean "run_failure"?'),
        ("when: []", '"alerts.rules.0.when" is empty; name at least one kind of alert.'),
        ("to: []", '"alerts.rules.0.to" is empty; name at least one target.'),
        ("to: [{slack: {url: a}, webhook: {url: b}}]", "keep one"),
        ("to: [{slack: {url: 'file:///s3cret'}}]", "its value does not begin with http:// or https://."),
        (
            "where: {tags: {n: 3}}",
            '"alerts.rules.0.where.tags.n" must be a text, not an int; put it in quotation marks.',
        ),
        ("{when: [run_late, daemon_lost], where: {job: a}}", '"daemon_lost" can never fit, since nothing'),
        ("to: [{webhook: {url: 'http://a', headers: {N: 3}}}]", "webhook.headers.N"),
        ("to: [{email: {recipients: [], sender: a, host: h}}]", "name at least one address."),
        ("to: [{email: {recipients: [a], sender: a, host: h, username: u}}]", "give both or none."),
        ("throttle_seconds: -1", "at least 0"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    rule = {"name": "a", "when": ["run_failure"], "to": [{"slack": {"url": "http://a"}}], **yaml.safe_load(text)}
    with pytest.raises(SettingsError) as raised:
        read(tmp_path, yaml.safe_dump({"alerts": {"rules": [rule]}}))
    assert said in str(raised.value)
    assert "s3cret" not in str(raised.value)
    assert f"{FILE_NAME}:" in str(raised.value)


def test_names_are_given_once_and_the_web_server_has_an_address(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as raised:
        read(
            tmp_path,
            """
alerts:
  web_url: penstock.example
  rules:
    - {name: a, when: [run_late], to: [{slack: {url: "http://a"}}]}
    - {name: a, when: [run_late], to: [{slack: {url: "http://a"}}]}
""",
        )
    assert 'The name "a" is that of rule 0 already; give each rule a name of its own.' in str(raised.value)
    assert '"penstock.example" does not begin with http:// or https://.' in str(raised.value)
