"""`pyproject.toml` names our packages and has our table."""

from __future__ import annotations

import textwrap
import tomllib

from penstock.migrate.project_file import rewrite_project_file


def rewrite(text: str) -> tuple[dict[str, object], list[str]]:
    told = rewrite_project_file(textwrap.dedent(text).lstrip())
    return tomllib.loads(told.text), [f"{note.line} {note.text.partition(':')[0]}" for note in told.notes]


def test_dependencies_of_every_kind() -> None:
    told, notes = rewrite("""
        [project]
        name = "dagster-shop"
        dependencies = ["dagster[x]>=1.9,<2 ; python_version > '3.10'", "pandas", "dagster_graphql", "dagster-aws"]
        [project.optional-dependencies]
        dev = ["dagster-webserver", "dagster"]
        [dependency-groups]
        dev = ["dagit", {include-group = "x"}]
        x = ["dagster", "dagster==1"]
        [tool.poetry.dependencies]
        python = "^3.11"
        dagster = "^1.9"
        dagster-webserver = "*"
    """)
    assert told == {
        "project": {
            "name": "dagster-shop",
            "dependencies": ["penstock; python_version > '3.10'", "pandas", "dagster-aws"],
            "optional-dependencies": {"dev": ["penstock"]},
        },
        "dependency-groups": {"dev": [{"include-group": "x"}], "x": ["penstock"]},
        "tool": {"poetry": {"dependencies": {"python": "^3.11", "penstock": "*"}}},
    }
    assert notes == ["3 dagster-aws"]


def test_the_table_of_the_tool() -> None:
    told, notes = rewrite("""
        [tool.dagster]
        modules = [{ name = "a", type = "module" }, { name = "b" }]
        project_name = "x"
    """)
    assert told == {"tool": {"penstock": {"modules": ["a", "b"]}}}
    assert notes == ["3 project_name"]


def test_the_table_of_the_newer_tool() -> None:
    told, notes = rewrite("""
        [tool.dg]
        directory_type = "project"
        [tool.dg.project]
        root_module = "shop"
        autoload_defs = true
        code_location_name = "it"
    """)
    assert told == {"tool": {"penstock": {"module_name": "shop.definitions", "code_location_name": "it"}}}
    assert notes == ["5 autoload_defs"]


def test_a_workspace_of_the_newer_tool_is_told() -> None:
    told, notes = rewrite('[tool.dg]\ndirectory_type = "workspace"\n')
    assert told == {}
    assert notes == ["1 [tool.dg"]


def test_comments_and_other_files_stay() -> None:
    text = '[project]\ndependencies = [\n    "dagster",  # the engine\n    "pandas",\n]\n'
    assert rewrite_project_file(text).text == text.replace("dagster", "penstock")
    assert rewrite_project_file("# no [table\n").text == "# no [table\n"
    assert "no TOML" in rewrite_project_file("dagster = [").notes[0].text
