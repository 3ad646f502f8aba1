"""Python code with old names becomes the same code with ours."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.migrate.model import Spellings
from penstock.migrate.python_code import rewrite_python

CASES = {
    "a module under its own name": (
        "import dagster\n\n@dagster.op\ndef x(): dagster.DagsterRun\n",
        "import penstock\n\n@penstock.op\ndef x(): penstock.Run\n",
    ),
    "a module under another name": (
        "import os, dagster as dg  # both\ndg.DagsterType(dg.In)\n",
        "import os, penstock as dg  # both\ndg.ValueType(dg.In)\n",
    ),
    "names": (
        "from dagster import In, DagsterRun as R, DagsterType\nx = DagsterType(R)\n",
        "from penstock import In, Run as R, ValueType\nx = ValueType(R)\n",
    ),
    "a name that is taken": (
        "from dagster import DagsterRun\nRun = 3\nx: DagsterRun\n",
        "from penstock import Run as DagsterRun\nRun = 3\nx: DagsterRun\n",
    ),
    "a variable of the same name": (
        "from dagster import DagsterRun\ndef f(DagsterRun): return DagsterRun.x\nDagsterRun()\n",
        "from penstock import Run\ndef f(DagsterRun): return DagsterRun.x\nRun()\n",
    ),
    "an attribute of the same name": (
        "from dagster import DagsterRun\nmy.DagsterRun = DagsterRun\nf(DagsterRun=1)\n",
        "from penstock import Run\nmy.DagsterRun = Run\nf(DagsterRun=1)\n",
    ),
    "an import inside a function": (
        "def f():\n    from dagster import DagsterRun\n    return DagsterRun\n",
        "def f():\n    from penstock import Run\n    return Run\n",
    ),
    "something internal that is public here": (
        "from dagster._core.storage.dagster_run import DagsterRun\nDagsterRun()\n",
        "from penstock import Run\nRun()\n",
    ),
    "keyword arguments": (
        "import dagster as d\nfrom dagster import In as I\nd.In(dagster_type=3)\nI(dagster_type=3)\n",
        "import penstock as d\nfrom penstock import In as I\nd.In(python_type=3)\nI(python_type=3)\n",
    ),
    "attributes": (
        "import dagster\ncontext.dagster_run.tags; x.dagster_x\n",
        "import penstock\ncontext.run.tags; x.dagster_x\n",
    ),
    "a method that only one thing has": (
        "import dagster\ndefs.resolve_job_def('x')\n",
        "import penstock\ndefs.get_job_def('x')\n",
    ),
    "a settings file": (
        "import dagster\nx = 'dagster.yaml'\n",
        "import penstock\nx = 'penstock.yaml'\n",
    ),
    "labels": (
        "import dagster\nx = ['dagster/priority', \".dagster/x\", f'dagster/{k}', 'dagster/a-b', 'a dagster/x']\n",
        "import penstock\nx = ['penstock/priority', \".penstock/x\", f'penstock/{k}', 'dagster/a-b', 'a dagster/x']\n",
    ),
    "annotations as text": (
        "import dagster as dg\nfrom dagster import DagsterRun\nx: 'dg.DagsterRun | DagsterRun | dagster.In'\n",
        "import penstock as dg\nfrom penstock import Run\nx: 'dg.Run | Run | penstock.In'\n",
    ),
    "annotations as text where the name is taken": (
        "import dagster\nfrom dagster import DagsterRun\nRun = 1\nx: 'dagster.DagsterRun | DagsterRun'\n",
        "import penstock\nfrom penstock import Run as DagsterRun\nRun = 1\nx: 'penstock.Run | DagsterRun'\n",
    ),
    "dotted names as text": (
        "import dagster\npatch('dagster.DagsterRun.tags'); patch('dagster')\n",
        "import penstock\npatch('penstock.Run.tags'); patch('dagster')\n",
    ),
    "the home": (
        "import dagster, os\nos.environ['DAGSTER_HOME']\n",
        "import penstock, os\nos.environ['PENSTOCK_HOME']\n",
    ),
    "pipes": (
        "import dagster_pipes as p\nfrom dagster_pipes import open_dagster_pipes as o\no(p.DagsterPipesError)\n",
        "import penstock_pipes as p\nfrom penstock_pipes import open_penstock_pipes as o\no(p.PipesError)\n",
    ),
    "comments and layout": (
        "from dagster import (  # all\n    In,  # one\n\n    DagsterRun,\n)\nx = [ DagsterRun ,In]  # DagsterRun\n",
        "from penstock import (  # all\n    In,  # one\n\n    Run,\n)\nx = [ Run ,In]  # DagsterRun\n",
    ),
    "other code": ("from . import dagster\nfrom x import DagsterRun\ndagster.y(DagsterRun)\n",) * 2,
}


@pytest.mark.parametrize(("before", "after"), CASES.values(), ids=CASES)
def test_code_is_rewritten_by_what_its_names_mean(few: Spellings, before: str, after: str) -> None:
    told = rewrite_python(before, few)
    assert told.text == after
    assert told.notes == ()
    assert rewrite_python(told.text, few) == (after, ())


LEFT = {
    "a name that is not here": (
        "from dagster import In, unknown\n",
        "from penstock import In\nfrom dagster import unknown\n",
        [(1, "unknown: Penstock has no such name")],
    ),
    "a name that was left out": (
        "import dagster as dg\n\ndg.old_thing()\n",
        "import penstock as dg\n\ndg.old_thing()\n",
        [(3, "old_thing: nobody needs it; use the new thing.")],
    ),
    "only such names": ("from dagster import (\n    unknown,\n)\n",) * 2 + ([(1, "unknown: Penstock has no")],),
    "an internal module": (
        "import dagster._check as check\ncheck.x()\n",
        "import dagster._check as check\ncheck.x()\n",
        [(1, "import dagster._check: this module is internal")],
    ),
    "an integration": (
        "from dagster_duckdb import X\nimport dagster_aws.s3\nimport dagster_aws.ecs\n",
        "from dagster_duckdb import X\nimport dagster_aws.s3\nimport dagster_aws.ecs\n",
        [(1, "dagster_duckdb: Penstock has no integration"), (2, "dagster_aws: Penstock has no integration")],
    ),
    "everything": ("from dagster import *\n", "from penstock import *\n", [(1, "import *: names that have another")]),
    "a shared line": ("from dagster import In; x = 1\n",) * 2 + ([(1, "give it a line of its own")],),
    "an internal name as text": (
        "import dagster\npatch('dagster._core.x')\n",
        "import penstock\npatch('dagster._core.x')\n",
        [(2, "'dagster._core.x' names something internal")],
    ),
    "another variable": (
        "import dagster\nenv = 'DAGSTER_GRPC_TIMEOUT_SECONDS'\n",
        "import penstock\nenv = 'DAGSTER_GRPC_TIMEOUT_SECONDS'\n",
        [(2, "Penstock reads no such variable")],
    ),
    "no Python": ("import dagster\ndef (:\n",) * 2 + ([(2, "no Python")],),
}


@pytest.mark.parametrize(("before", "after", "told"), LEFT.values(), ids=LEFT)
def test_what_cannot_be_carried_over_is_told_with_its_line(
    few: Spellings, before: str, after: str, told: list[tuple[int, str]]
) -> None:
    rewritten = rewrite_python(before, few)
    assert rewritten.text == after
    assert [note.line for note in rewritten.notes] == [line for line, _ in told]
    for note, (_, text) in zip(rewritten.notes, told, strict=True):
        assert text in note.text


def test_modules_of_the_project_are_no_integrations(few: Spellings) -> None:
    text = "from dagster_shop import x\nfrom dagster_duckdb import y\n"
    told = rewrite_python(text, few, frozenset({"dagster_shop"}))
    assert [note.line for note in told.notes] == [2]


def test_real_code_with_all_spellings(all_of_them: Spellings) -> None:
    code = """
        from dagster import DagsterInstance, DagsterInvalidConfigError, DagsterRunStatus, EventRecordsFilter

        def failed(instance: DagsterInstance):
            try:
                return [each for each in instance.get_runs() if each.status is DagsterRunStatus.FAILURE]
            except DagsterInvalidConfigError:
                return []
    """
    rewritten = rewrite_python(textwrap.dedent(code), all_of_them)
    assert "Dagster" not in rewritten.text
    assert "instance: Instance" in rewritten.text
    assert "except InvalidRunConfigError:" in rewritten.text


@given(st.text(alphabet="dagster_.import()='\"\n #/", max_size=60))
def test_any_text_is_rewritten_or_told_of(text: str) -> None:
    few = Spellings({"DagsterRun": "Run"}, {}, {}, {"dagster/": "penstock/"}, frozenset({"Run"}), {})
    told = rewrite_python(text, few)
    assert told.text == text or "penstock" in told.text


def test_types_that_only_private_modules_name_there_are_public_here(all_of_them: Spellings) -> None:
    told = rewrite_python(
        "from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition\n",
        all_of_them,
    )
    assert (told.text, told.notes) == ("from penstock import UnresolvedAssetJobDefinition\n", ())
