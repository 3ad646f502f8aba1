"""Requirements, scripts, container files, workspaces."""

from __future__ import annotations

import pytest

from penstock.locations.workspace import WORKSPACE_SCHEMA
from penstock.migrate.other_texts import rewrite_other_text
from penstock.migrate.requirements import rewrite_requirements_file
from penstock.migrate.workspace_file import check_workspace_file


@pytest.mark.parametrize(
    ("before", "after", "notes"),
    [
        ("dagster\n", "penstock\n", 0),
        ("Dagster[x]==1.13.*  # pinned\n", "penstock  # pinned\n", 0),
        ("dagster>=1; python_version < '3.13'\n", "penstock; python_version < '3.13'\n", 0),
        ("dagster-webserver==1\ndagster_pipes\npandas\n", "pandas\n", 0),
        ("# dagster\n-r dagster.txt\n\npandas\n", "# dagster\n-r dagster.txt\n\npandas\n", 0),
        ("dagster-k8s==0.29\n", "dagster-k8s==0.29\n", 1),
        ("git+https://x.org/dagster\n", "git+https://x.org/dagster\n", 0),
    ],
)
def test_requirements(before: str, after: str, notes: int) -> None:
    told = rewrite_requirements_file(before)
    assert (told.text, len(told.notes)) == (after, notes)


@pytest.mark.parametrize(
    ("before", "after", "notes"),
    [
        ("export DAGSTER_HOME=/x\n", "export PENSTOCK_HOME=/x\n", 0),
        ("MY_DAGSTER_HOME=1 DAGSTER_POSTGRES_USER=x\n", "MY_DAGSTER_HOME=1 DAGSTER_POSTGRES_USER=x\n", 0),
        ("CMD dagster dev -f x.py\n", "CMD penstock dev -f x.py\n", 0),
        ('CMD ["dagster", "dev"]\n', 'CMD ["penstock", "dev"]\n', 0),
        ("CMD dagster-daemon run\n", "CMD penstock daemon\n", 0),
        ("dagster api grpc -p 1\n", "penstock code-server -p 1\n", 0),
        ('["dagster", "api", "grpc", "-p"]\n', '["penstock", "code-server", "-p"]\n', 0),
        ("dagit -p 1 & dagster-webserver -w x\n", "penstock webserver -p 1 & penstock webserver -w x\n", 0),
        ("  command: ['dagster-webserver', '-h']\n", "  command: ['penstock', 'webserver', '--host']\n", 0),
        ("dagster api grpc -h 0.0.0.0 --here-h\n", "penstock code-server --host 0.0.0.0 --here-h\n", 0),
        ("exec dagster-webserver\n", "exec penstock webserver\n", 0),
        ("FROM base AS dagster-webserver\n", "FROM base AS dagster-webserver\n", 0),
        ("COPY dagster.yaml /opt/dagster/\n", "COPY penstock.yaml /opt/dagster/\n", 0),
        ("# see dagster dev\n", "# see dagster dev\n", 0),
        ("RUN pip install dagster pandas\n", "RUN pip install penstock pandas\n", 0),
        ("RUN pip install dagster-k8s\n", "RUN pip install dagster-k8s\n", 1),
        ("  module: dagster.core.launcher\n", "  module: dagster.core.launcher\n", 1),
        ("dagster project scaffold\n", "dagster project scaffold\n", 1),
        ("DAGSTER_EVENT_BATCH_SIZE=1\n", "DAGSTER_EVENT_BATCH_SIZE=1\n", 1),
        ("dg dev\n", "dg dev\n", 1),
        ("echo hello", "echo hello", 0),
    ],
)
def test_scripts_and_the_like(before: str, after: str, notes: int) -> None:
    told = rewrite_other_text(before)
    assert (told.text, len(told.notes)) == (after, notes)


def test_a_workspace_is_looked_at_and_left_alone() -> None:
    text = (
        "load_from:\n  - python_file: a.py\n  - python_module:\n      module_name: b\n      odd: 1\n"
        "  - autoload_defs_module: c\n  - grpc_server:\n      host: h\n      ssl: true\n"
    )
    told = check_workspace_file(text, WORKSPACE_SCHEMA)
    assert told.text == text
    assert [(note.line, note.text.partition(":")[0]) for note in told.notes] == [
        (5, "load_from.python_module.odd"),
        (6, "load_from.autoload_defs_module"),
        (7, "grpc_server"),
        (9, "load_from.grpc_server.ssl"),
    ]
    assert "no YAML" in check_workspace_file("a: [", WORKSPACE_SCHEMA).notes[0].text
