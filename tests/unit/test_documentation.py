"""Documentation is true: what there is is documented, and what is documented is there."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import click
import msgspec
import msgspec.inspect as reading
import pytest
import yaml

from penstock.cli.main import cli
from penstock.config import schema
from penstock.config.problems import ConfigProblem
from penstock.definitions.load import load_definitions
from penstock.instance.archive import lines
from penstock.instance.settings import FILE_NAME, Component, Settings
from penstock.instance.settings_file import read_settings
from penstock.locations.workspace import PROJECT_SCHEMA, WORKSPACE_SCHEMA
from penstock.records.code_target import CodeTarget
from penstock.records.event import EVENT_TYPES
from penstock.records.run import TRANSITIONS, FailureReason, RunStatus, Tag
from penstock.web import live
from support.reference import PAGES, STUBS

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "penstock"
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
WRITTEN_BY_HAND = [
    *(ROOT / name for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")),
    *sorted(path for path in DOCS.rglob("*.md") if path not in PAGES),
]
EVERY_PAGE = [*WRITTEN_BY_HAND, *PAGES]

VARIABLE = re.compile(r"(?<![A-Z_])PENSTOCK_[A-Z_]*[A-Z]")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def section(path: Path, heading: str) -> str:
    """The text under a heading, up to the next one of its level or above."""
    level = heading.split()[0]
    found = re.search(
        rf"^{re.escape(heading)}$(.*?)(?=^#{{1,{len(level)}}} |\Z)", path.read_text(), re.DOTALL | re.MULTILINE
    )
    assert found is not None, f"{path} has no section {heading!r}"
    return found[1]


def rows(text: str) -> list[tuple[str, ...]]:
    """The cells of every table in a text, without heads."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [tuple(cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]) for line in lines]
    heads = {index - 1 for index, row in enumerate(cells) if set("".join(row)) == {"-"}}
    return [row for index, row in enumerate(cells) if index not in heads and set("".join(row)) != {"-"}]


def names(text: str) -> list[str]:
    """The first column of the tables in a text, without the marks of code."""
    return [row[0].strip("`") for row in rows(text)]


def spans(text: str) -> list[str]:
    """What a text marks as code inside its sentences and tables, on one line each."""
    return [" ".join(span.split()) for span in CODE.findall(FENCE.sub("", text))]


def sources() -> Iterator[str]:
    for path in (*SOURCE.rglob("*.py"), *(SOURCE.parent / "penstock_pipes").rglob("*.py")):
        yield path.read_text()


# -- pages that follow from the code ----------------------------------------------------------------------------------


@pytest.mark.parametrize("page", [*PAGES, *STUBS], ids=name_of)
def test_a_page_made_from_the_code_is_as_the_code_says(page: Path) -> None:
    assert page.read_text() == {**PAGES, **STUBS}[page](), "run scripts/write-reference"


# -- archives ---------------------------------------------------------------------------------------------------------


def test_each_line_of_an_archive_is_documented_with_its_fields() -> None:
    documented = {row[0].strip("`"): row[1] for row in rows((REFERENCE / "archive.md").read_text())}
    there = {str(each.__struct_config__.tag): each.__struct_fields__ for each in get_args(lines.Line)}
    assert documented.keys() == there.keys()
    for kind, fields in there.items():
        assert re.findall(r"`([a-z_]+)`", re.sub(r"\([^)]*\)", "", documented[kind])) == list(fields), kind
    assert f"`format` (`{lines.FORMAT}`), `version` ({lines.VERSION})" in documented["header"]


# -- settings ---------------------------------------------------------------------------------------------------------


def settings_of(kind: reading.Type, path: str) -> Iterator[tuple[str, Any]]:
    """(key, default) of each setting; a component is one setting, a list is one besides those of its items."""
    match kind:
        case reading.UnionType():
            (inner,) = (each for each in kind.types if not isinstance(each, reading.NoneType))
            yield from settings_of(inner, path)
        case reading.StructType(cls=cls) if cls is not Component:
            for field in kind.fields:
                inner_path = f"{path}.{field.encode_name}" if path else field.encode_name
                for key, default in settings_of(field.type, inner_path):
                    yield key, field.default if key == inner_path else default
        case reading.VarTupleType():
            yield path, msgspec.NODEFAULT
            yield from settings_of(kind.item_type, f"{path}[]")
        case _:
            yield path, msgspec.NODEFAULT


def test_each_setting_is_documented_with_its_default() -> None:
    documented = {row[0].strip("`"): row[2] for row in rows(section(REFERENCE / "settings.md", "## penstock.yaml"))}
    there = dict(settings_of(reading.type_info(Settings), ""))
    assert documented.keys() == there.keys()
    for key, default in there.items():
        if isinstance(default, bool):
            assert documented[key] == str(default).lower(), key
        elif isinstance(default, int | float):
            assert documented[key] == (f"{default:,}" if default >= 1_000_000 else f"{default:g}"), key


def keys_of(kind: schema.ConfigType, path: str) -> Iterator[str]:
    match kind:
        case schema.Shape() | schema.Selector():
            for name, field in kind.fields.items():
                inner = f"{path}.{name}" if path else name
                yield inner
                yield from keys_of(field.type, inner)
        case schema.Array():
            yield from keys_of(kind.item, f"{path}[]")


@pytest.mark.parametrize(
    ("heading", "shape"), [("## workspace.yaml", WORKSPACE_SCHEMA), ("## pyproject.toml", PROJECT_SCHEMA)]
)
def test_each_key_of_a_workspace_is_documented(heading: str, shape: schema.Shape) -> None:
    assert names(section(REFERENCE / "settings.md", heading)) == list(keys_of(shape, ""))


def test_the_examples_of_settings_are_valid(tmp_path: Path) -> None:
    examples = FENCE.findall(section(REFERENCE / "settings.md", "## penstock.yaml"))
    assert len(examples) == 2
    for _, text in examples:
        (tmp_path / FILE_NAME).write_text(text)
        assert read_settings(tmp_path, {"CLUSTER_TOKEN": "x"}) != Settings()


def test_each_environment_variable_is_documented() -> None:
    read = {name for text in sources() for name in VARIABLE.findall(text)}
    assert set(names(section(REFERENCE / "settings.md", "## Environment variables"))) == read


@pytest.mark.parametrize("page", EVERY_PAGE, ids=name_of)
def test_no_other_environment_variable_is_named(page: Path) -> None:
    read = {name for text in sources() for name in VARIABLE.findall(text)}
    named = {name for name in VARIABLE.findall(page.read_text()) if not name.startswith("PENSTOCK_CLI_")}
    assert named <= read


# -- runs, events, tags, run config -----------------------------------------------------------------------------------


def test_each_state_transition_and_reason_is_documented() -> None:
    page = REFERENCE / "events.md"
    states, transitions = section(page, "## States of a run").split("| from |")
    assert names(states) == list(RunStatus)
    told = [tuple(cell.strip("`") for cell in row) for row in rows("| from |" + transitions)]
    assert told == [(state, event, after) for (state, event), after in TRANSITIONS.items()]
    assert names(section(page, "## Why a run failed")) == list(FailureReason)


def test_each_event_type_is_documented() -> None:
    told = names(section(REFERENCE / "events.md", "## Event types, in the order in which a run writes them"))
    assert sorted(told) == list(EVENT_TYPES)


def test_each_tag_with_a_meaning_is_documented() -> None:
    declared = {value for name, value in vars(Tag).items() if name.isupper()}
    written = {tag for text in sources() for tag in re.findall(r'"(penstock/[a-z_]+)"', text)}
    told = names((REFERENCE / "tags.md").read_text())
    assert len(told) == len(set(told))
    assert set(told) == declared | written


def test_the_config_schema_is_documented_as_data() -> None:
    page = REFERENCE / "run-config.md"
    kinds = [kind.__struct_config__.tag for kind in schema.ConfigType.__args__]
    assert names(section(page, "## The schema as data")) == kinds
    assert sorted(names(section(page, "## How it is checked"))) == sorted(ConfigProblem)


# -- HTTP -------------------------------------------------------------------------------------------------------------


def routes_of(path: Path) -> Iterator[tuple[str, str]]:
    """(path, method) of each route that a file declares, as `Route(...)` or as a tuple that begins with the path."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Call(func=ast.Name(id="Route"), args=[ast.Constant(value=str(route)), *_], keywords=[methods]):
                yield route, *ast.literal_eval(methods.value)
            case ast.Tuple(elts=[ast.Constant(value=str(route)), ast.Constant(value=str(method)), _]):
                if route.startswith("/"):
                    yield route, method


@pytest.mark.parametrize(
    ("heading", "file"), [("## The web server", "web/app.py"), ("## The code server", "locations/http.py")]
)
def test_each_route_is_documented(heading: str, file: str) -> None:
    there = list(routes_of(SOURCE / file))
    assert len(there) >= 8
    told = [row for row in rows(section(REFERENCE / "http.md", heading)) if row[0].startswith("`/")]
    assert [(row[0].strip("`"), row[1]) for row in told] == there


def test_each_topic_is_documented() -> None:
    told = names(section(REFERENCE / "http.md", "### Live push"))
    plain = {topic for topic in told if ":" not in topic}
    assert plain == live._PLAIN
    named = [topic for topic in told if ":" in topic]
    run = "01a20752-e600-72ed-bc1e-afd2507e07b3"
    examples = [topic.replace("<run id>", run).replace("<file key>", "a_step") for topic in named]
    assert sorted(topic.partition(":")[0] for topic in examples) == ["logs", "run"]
    assert live.unknown_topics(examples) == []


# -- architecture -----------------------------------------------------------------------------------------------------


def test_the_floors_are_those_that_the_architecture_test_holds() -> None:
    tree = ast.parse((ROOT / "tests" / "unit" / "test_architecture.py").read_text())
    (floors,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and node.value is not None and ast.unparse(node.target) == "FLOORS"
    )
    told = [tuple(spans(row[1])) for row in rows(section(DOCS / "architecture.md", "## Floors"))]
    assert told == list(floors)
    there = {path.stem for path in SOURCE.iterdir() if not path.name.startswith(("_", "py."))}
    assert {room for floor in told for room in floor} == there


def test_the_architecture_names_functions_that_are_there() -> None:
    marked = spans((DOCS / "architecture.md").read_text())
    named = [span.split(": ") for span in marked if re.fullmatch(r"[\w./]+\.py: [\w.]+", span)]
    assert len(named) > 30
    for file, dotted in named:
        text = (SOURCE / file).read_text()
        for part in dotted.split("."):
            assert re.search(rf"\b(class|def) {part}\b", text), f"{file} has no {dotted}"


# -- every page -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", EVERY_PAGE, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if not target.startswith(("http://", "https://", "#")):
            file, _, anchor = target.partition("#")
            assert (page.parent / file).exists(), f"{page} links to {target}"
            if anchor:
                assert anchor in anchors(page.parent / file), f"{page} links to {target}"


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", WRITTEN_BY_HAND, ids=name_of)
def test_paths_that_are_named_exist(page: Path) -> None:
    for span in spans(page.read_text()):
        file = span.partition(":")[0]
        if re.fullmatch(r"[\w-]+(/[\w.-]+)+(\.(py|ts|tsx|md|graphql|sql|yaml|txt)|/)", file):
            assert (ROOT / file).exists() or (SOURCE / file).exists(), f"{page} names {file}"


@pytest.mark.parametrize("page", WRITTEN_BY_HAND, ids=name_of)
def test_commands_that_are_named_exist(page: Path) -> None:
    text = page.read_text()
    lines = [line for _, block in FENCE.findall(text) for line in block.splitlines()]
    for line in [*lines, *spans(text)]:
        found = re.match(r"(?:\w+=\S+ )*penstock ([a-z-].*)", line)
        if found is not None:
            for words in re.split(r" \| ", found[1]):
                command_of(shlex.split(words, comments=True), line)


def command_of(words: list[str], line: str) -> None:
    """Fail unless the words are a command of ours with options that it has."""
    command: click.Command = cli
    for index, word in enumerate(words):
        if not isinstance(command, click.Group):
            options = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
            unknown = [each for each in words[index:] if each.startswith("-") and each not in {*options, "--help"}]
            assert not unknown, f"{line!r}: {command.name} has no {unknown[0]}"
            return
        found = command.get_command(click.Context(command), word)
        assert found is not None, f"{line!r}: there is no {word}"
        command = found


@pytest.mark.parametrize("page", WRITTEN_BY_HAND, ids=name_of)
def test_python_and_yaml_in_pages_is_valid(page: Path, tmp_path: Path) -> None:
    blocks = FENCE.findall(page.read_text())
    if "The code on this page runs from top to bottom." in page.read_text():
        blocks = [("python", "\n".join(text for language, text in blocks if language == "python"))]
    for number, (language, text) in enumerate(blocks):
        if language == "yaml":
            yaml.safe_load(text)
        elif language == "python":
            path = tmp_path / f"{page.stem.lower().replace('-', '_')}_{number}.py"
            path.write_text(text)
            loaded = load_definitions(CodeTarget(python_file=str(path)))
            assert [*loaded.assets, *loaded.jobs]


@pytest.mark.parametrize("page", [page for page in WRITTEN_BY_HAND if "\ndef test_" in page.read_text()], ids=name_of)
def test_tests_in_pages_pass(page: Path) -> None:
    for language, text in FENCE.findall(page.read_text()):
        if language == "python":
            names: dict[str, Any] = {}
            exec(compile(text, str(page), "exec"), names)
            for test in [value for name, value in names.items() if name.startswith("test_")]:
                test()
