"""The house holds: imports only go down, `import penstock` is light, and every module says its duty."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "penstock"

# Floors from the lowest up. Rooms on one floor do not know each other, except for what NEIGHBOURS lists.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("errors", "wording", "clock", "ids", "codec", "version"),
    ("partitions", "config", "records"),
    ("definitions", "engine", "storage"),
    ("plan",),
    ("execution", "logs"),
    ("launch", "locations", "auth"),
    ("instance",),
    ("daemon", "web"),
    ("cli", "testing", "compat", "migrate"),
)
NEIGHBOURS = {
    ("records", "config"),  # a location's description carries config schemas
    ("records", "partitions"),  # ... and partition sets
    ("execution", "logs"),  # a step's output is captured while it runs
    ("cli", "compat"),  # the old spellings, for `penstock migrate`
    ("cli", "migrate"),  # the work of that command
}
# The few doors that lead upward: one import each, inside a function that stands behind a definition's own method. What
# these methods give has a type of the upper floor, which is named for type checkers alone.
DOORS = {"definitions/doors.py": "execution", "execution/own_instance.py": "instance"}
TYPES_OF_DOORS = {("definitions", "execution")}
LIGHT = (
    "asyncio",
    "logging",
    "pydantic",
    "click",
    "yaml",
    "sqlite3",
    "graphql",
    "starlette",
    "uvicorn",
    "multiprocessing",
)

# What services need seldom, and load when they do: it would be memory that each of them holds for nothing.
RARE = ("difflib", "smtplib", "tomllib", "urllib.request", "zoneinfo")

MODULES = sorted(SOURCE.rglob("*.py"))


def room_of(path: Path) -> str:
    """The folder (or top-level module) of the house that a file belongs to."""
    relative = path.relative_to(SOURCE)
    return relative.parts[0] if len(relative.parts) > 1 else relative.stem


def floor_of(room: str) -> int:
    """The number of the floor that a room is on."""
    for number, rooms in enumerate(FLOORS):
        if room in rooms:
            return number
    pytest.fail(f"src/penstock/{room} is on no floor: give it one in FLOORS and in docs/architecture.md")


def imports_of(path: Path) -> list[tuple[str, int, str]]:
    """(room, line, when: always, called or typing) of each import of Penstock's own in a file."""
    tree = ast.parse(path.read_text(), filename=str(path))
    package = path.relative_to(SOURCE.parent).with_suffix("").parts
    package = package[:-1]
    when = {
        id(inner): "typing" if isinstance(node, ast.If) else "called"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        or (isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING")
        for inner in ast.walk(node)
    }
    found: list[tuple[str, int, str]] = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        targets: list[tuple[str, ...]] = []
        if isinstance(node, ast.Import):
            targets = [tuple(alias.name.split(".")) for alias in node.names]
        else:
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = tuple(node.module.split(".")) if node.module else ()
            stem = (*base, *module)
            targets = [(*stem, alias.name) for alias in node.names] if len(stem) == 1 else [stem]
        found += [
            (target[1], node.lineno, when.get(id(node), "always"))
            for target in targets
            if target[0] == "penstock" and len(target) > 1
        ]
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_only_go_down(path: Path) -> None:
    room = room_of(path)
    if room == "__init__":
        return  # the public face names everything, lazily
    wrong = []
    for target, line, when in imports_of(path):
        if target in {room, "version"} or (room, target) in NEIGHBOURS:
            continue
        if when == "called" and DOORS.get(path.relative_to(SOURCE).as_posix()) == target:
            continue
        if when == "typing" and (room, target) in TYPES_OF_DOORS:
            continue
        if floor_of(target) >= floor_of(room):
            wrong.append(f"{path}:{line}: {room} (floor {floor_of(room)}) imports {target} (floor {floor_of(target)})")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_each_module_says_its_duty(path: Path) -> None:
    tree = ast.parse(path.read_text(), filename=str(path))
    assert ast.get_docstring(tree), f"{path} has no docstring that says its one job"


@cache
def names_of(path: Path) -> frozenset[str]:
    """What a module says it gives: its `__all__`. Every module is asked by all that import from it."""
    for node in ast.parse(path.read_text(), filename=str(path)).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__":
            return frozenset(ast.literal_eval(node.value))
    return frozenset()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_each_module_lists_what_others_take_from_it(path: Path) -> None:
    package = path.relative_to(SOURCE.parent).parts[:-1]
    unlisted = []
    for node in ast.walk(ast.parse(path.read_text(), filename=str(path))):
        if isinstance(node, ast.ImportFrom) and node.level:
            stem = (*package[: len(package) - node.level + 1], *(node.module.split(".") if node.module else ()))
            source = SOURCE.parent.joinpath(*stem).with_suffix(".py")
            if source.exists():
                listed = names_of(source)
                unlisted += [f"{source}: {alias.name}" for alias in node.names if alias.name not in listed]
    assert not unlisted, "\n".join(unlisted)


def test_import_penstock_is_light() -> None:
    script = (
        "import sys; before = set(sys.modules); import penstock; "
        f"print(*[name for name in {LIGHT!r} if name in sys.modules and name not in before])"
    )
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert not loaded, f"import penstock loads {loaded}"


@pytest.mark.parametrize(
    ("service", "execution"),
    [
        ("penstock.web.server", {"event_log"}),
        ("penstock.daemon.process", {"event_log"}),
        ("penstock.instance.code_server", {"event_log", "frames", "left_behind", "memory_kills"}),
        ("penstock.locations.host", {"fork_safety"}),
    ],
)
def test_a_service_loads_nothing_of_what_users_write_and_runs_it_with(
    service: str, execution: set[str], tmp_path: Path
) -> None:
    script = (
        f"import sys, pathlib, {service}; from penstock.instance.instance import Instance\n"
        f"with Instance.open(pathlib.Path({str(tmp_path)!r})) as instance: instance.coordinator\n"
        "print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
    rooms = [name.split(".")[1:] for name in loaded if name.startswith("penstock.")]
    assert not [name for name in rooms if name[0] == "definitions"]
    assert {".".join(name[1:]) for name in rooms if name[0] == "execution" and name[1:]} <= execution | {"event_log"}
    assert not {*loaded} & {"pydantic", *RARE}


def test_each_public_name_is_there_once_and_documented() -> None:
    import penstock

    assert len(penstock.__all__) == len(set(penstock.__all__))  # their order is held by the linter
    missing = [name for name in penstock.__all__ if not hasattr(penstock, name)]
    assert not missing
    undocumented = [
        name
        for name in penstock.__all__
        if not name.startswith("__")
        and isinstance(getattr(penstock, name), type)
        and not getattr(penstock, name).__doc__
    ]
    assert not undocumented
