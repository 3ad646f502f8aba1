"""The records that automation conditions are made of: one class for each question and each way to combine answers.

Those of the first part ask about the asset or check itself, those of the second combine, those of the third look at
others. What each is true for is told by the engine's evaluation, one function for each class here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeAlias

import msgspec

from ...errors import DefinitionError
from .condition import AutomationCondition

__all__ = [
    "AllChecks",
    "AllDeps",
    "And",
    "AnyChecks",
    "AnyDeps",
    "AnyDownstream",
    "BackfillInProgress",
    "CheckResultIs",
    "CodeVersionChanged",
    "ConditionRecord",
    "CronTickPassed",
    "CustomCondition",
    "DataVersionChanged",
    "EntityMatches",
    "ExecutionFailed",
    "FreshnessIs",
    "InLatestTimeWindow",
    "InitialEvaluation",
    "JobRoots",
    "LatestRunTags",
    "Missing",
    "NewUpdateTags",
    "NewlyRequested",
    "NewlyTrue",
    "NewlyUpdated",
    "Not",
    "Or",
    "RootTarget",
    "RunInProgress",
    "Since",
    "WillBeRequested",
    "tag_of",
]

Change: TypeAlias = Callable[[AutomationCondition], AutomationCondition]


class _Record(AutomationCondition, msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A condition as data."""

    is_record: ClassVar[bool] = True
    label: str | None = None

    def with_label(self, label: str | None) -> Self:
        """This condition under a name, by which people find it and `replace` knows it."""
        return msgspec.structs.replace(self, label=label)


class _Operator(_Record, frozen=True, kw_only=True):
    """A condition made of others."""

    def allow(self, selection: Any) -> Self:
        """Where it looks at other assets or at checks, look at those of the selection alone."""
        return self.scoped(allow=selection)  # type: ignore[return-value]  # a record stays of its class

    def ignore(self, selection: Any) -> Self:
        """Where it looks at other assets or at checks, leave out those of the selection."""
        return self.scoped(ignore=selection)  # type: ignore[return-value]  # a record stays of its class


# -- of the asset or check itself -------------------------------------------------------------------------------------


class Missing(_Record, frozen=True, kw_only=True, tag="missing"):
    """Never made, observed or evaluated."""

    name: ClassVar[str] = "missing"


class RunInProgress(_Record, frozen=True, kw_only=True, tag="run_in_progress"):
    """A run that has not ended is to make it."""

    name: ClassVar[str] = "run_in_progress"


class BackfillInProgress(_Record, frozen=True, kw_only=True, tag="backfill_in_progress"):
    """A backfill that has not ended is to make it."""

    name: ClassVar[str] = "backfill_in_progress"


class ExecutionFailed(_Record, frozen=True, kw_only=True, tag="execution_failed"):
    """The last run that was to make it ended without doing so."""

    name: ClassVar[str] = "execution_failed"


class CodeVersionChanged(_Record, frozen=True, kw_only=True, tag="code_version_changed"):
    """Its code version is another one than at the last evaluation."""

    name: ClassVar[str] = "code_version_changed"


class DataVersionChanged(_Record, frozen=True, kw_only=True, tag="data_version_changed"):
    """Its data version has changed since the last evaluation."""

    name: ClassVar[str] = "data_version_changed"


class NewlyUpdated(_Record, frozen=True, kw_only=True, tag="newly_updated"):
    """Made, observed or evaluated since the last evaluation."""

    name: ClassVar[str] = "newly_updated"


class NewlyRequested(_Record, frozen=True, kw_only=True, tag="newly_requested"):
    """Requested by the last evaluation."""

    name: ClassVar[str] = "newly_requested"


class WillBeRequested(_Record, frozen=True, kw_only=True, tag="will_be_requested"):
    """Requested by this evaluation."""

    name: ClassVar[str] = "will_be_requested"


class InitialEvaluation(_Record, frozen=True, kw_only=True, tag="initial_evaluation"):
    """The whole condition is evaluated for the first time."""

    name: ClassVar[str] = "initial_evaluation"


class InLatestTimeWindow(_Record, frozen=True, kw_only=True, tag="in_latest_time_window"):
    """The latest time window, or one that ended at most `lookback` seconds before it."""

    lookback: float | None = None
    name: ClassVar[str] = "in_latest_time_window"


class CronTickPassed(_Record, frozen=True, kw_only=True, tag="cron_tick_passed"):
    """A time that the cron text says lies between the last evaluation and this one."""

    cron_schedule: str
    cron_timezone: str = "UTC"
    name: ClassVar[str] = "cron_tick_passed"

    @property
    def words(self) -> str:
        """Its label, or its name with the cron text and the time zone."""
        return self.label or f"cron_tick_passed({self.cron_schedule}, {self.cron_timezone})"


class RootTarget(_Record, frozen=True, kw_only=True, tag="executed_with_root_target"):
    """The run that last made it was also to make the asset whose condition this is."""

    name: ClassVar[str] = "executed_with_root_target"


class _Tags(_Record, frozen=True, kw_only=True):
    keys: tuple[str, ...] = ()
    values: tuple[tuple[str, str], ...] = ()

    def holds(self, tags: Mapping[str, str]) -> bool:
        """Whether a run with these tags is meant."""
        return all(key in tags for key in self.keys) and all(tags.get(key) == value for key, value in self.values)

    @property
    def words(self) -> str:
        """Its label, or its name with the tags."""
        wanted = [*self.keys, *(f"{key}={value}" for key, value in self.values)]
        return self.label or f"{self.name}({', '.join(wanted)})"


class LatestRunTags(_Tags, frozen=True, kw_only=True, tag="executed_with_tags"):
    """The run that last made it has these tags."""

    name: ClassVar[str] = "executed_with_tags"


class NewUpdateTags(_Tags, frozen=True, kw_only=True, tag="new_update_has_run_tags"):
    """A run with these tags (`every`: only such runs) made it since the last evaluation."""

    every: bool = False
    name: ClassVar[str] = "new_update_has_run_tags"


class CheckResultIs(_Record, frozen=True, kw_only=True, tag="check_result"):
    """A check's last evaluation passed, or did not."""

    passed: bool

    @property
    def words(self) -> str:
        """Its label, or which result it asks for."""
        return self.label or ("check_passed" if self.passed else "check_failed")


class FreshnessIs(_Record, frozen=True, kw_only=True, tag="freshness"):
    """The asset's freshness is PASS, WARN or FAIL."""

    state: str
    name: ClassVar[str] = "freshness"


class CustomCondition(_Record, frozen=True, kw_only=True, tag="custom"):
    """Stands in a description for a condition that users wrote: `kind` is its class. Only their code evaluates it."""

    kind: str

    @property
    def words(self) -> str:
        """Its label, or its class."""
        return self.label or self.kind


# -- combining --------------------------------------------------------------------------------------------------------


class _Many(_Operator, frozen=True, kw_only=True):
    operands: tuple[Part, ...]

    @property
    def children(self) -> tuple[AutomationCondition, ...]:
        """What it combines."""
        return self.operands

    def mapped(self, change: Change) -> Self:
        """The same with each operand changed."""
        return msgspec.structs.replace(self, operands=tuple(change(each) for each in self.operands))


class And(_Many, frozen=True, kw_only=True, tag="and"):
    """All are true."""

    name: ClassVar[str] = "AND"

    def without(self, condition: AutomationCondition) -> And:
        """This condition without one of its operands.

        Raises:
            DefinitionError: It is none of them.
        """
        if condition not in self.operands:
            known = ", ".join(each.words for each in self.operands)
            raise DefinitionError(
                f"{self.words} has no operand {checked_words(condition)} that it could go without; it has: {known}."
            )
        return msgspec.structs.replace(self, operands=tuple(each for each in self.operands if each != condition))


class Or(_Many, frozen=True, kw_only=True, tag="or"):
    """Any is true."""

    name: ClassVar[str] = "OR"


class _One(_Operator, frozen=True, kw_only=True):
    operand: Part

    @property
    def children(self) -> tuple[AutomationCondition, ...]:
        """What it is about."""
        return (self.operand,)

    def mapped(self, change: Change) -> Self:
        """The same of the changed operand."""
        return msgspec.structs.replace(self, operand=change(self.operand))


class Not(_One, frozen=True, kw_only=True, tag="not"):
    """The operand is not true."""

    name: ClassVar[str] = "NOT"


class NewlyTrue(_One, frozen=True, kw_only=True, tag="newly_true"):
    """The operand is true, and was not at the last evaluation."""

    name: ClassVar[str] = "NEWLY_TRUE"


class Since(_Operator, frozen=True, kw_only=True, tag="since"):
    """The trigger has been true, and the reset not since then."""

    trigger: Part
    reset: Part
    name: ClassVar[str] = "SINCE"

    @property
    def children(self) -> tuple[AutomationCondition, ...]:
        """The trigger and the reset."""
        return (self.trigger, self.reset)

    def mapped(self, change: Change) -> Since:
        """The same of the changed trigger and reset."""
        return msgspec.structs.replace(self, trigger=change(self.trigger), reset=change(self.reset))


# -- of others --------------------------------------------------------------------------------------------------------


class _Scoped(_Operator, frozen=True, kw_only=True):
    """Looks at others: at those of `allowed`, which are not of `ignored`.

    Users give selections. Where the condition is bound to an asset, these are their texts, for people, and `only` are
    the keys of those that remain.
    """

    allowed: Any = None
    ignored: Any = None
    only: tuple[str, ...] | None = None

    def scoped(self, *, allow: Any = None, ignore: Any = None) -> Self:
        """The same, looking at fewer."""
        return msgspec.structs.replace(
            self,
            allowed=_either(self.allowed, allow),
            ignored=_either(self.ignored, ignore),
        )

    @property
    def words(self) -> str:
        """Its label, or its name with what it is restricted to."""
        given = {"allow": self.allowed, "ignore": self.ignored}
        text = ", ".join(f"{name} {_text(each)}" for name, each in given.items() if each is not None)
        return self.label or (f"{self.name}({text})" if text else self.name)


class _ScopedOne(_Scoped, frozen=True, kw_only=True):
    operand: Part

    @property
    def children(self) -> tuple[AutomationCondition, ...]:
        """What it is about."""
        return (self.operand,)

    def mapped(self, change: Change) -> Self:
        """The same of the changed operand."""
        return msgspec.structs.replace(self, operand=change(self.operand))


class AnyDeps(_ScopedOne, frozen=True, kw_only=True, tag="any_deps"):
    """The operand is true for any upstream partition of any dependency."""

    name: ClassVar[str] = "ANY_DEPS_MATCH"


class AllDeps(_ScopedOne, frozen=True, kw_only=True, tag="all_deps"):
    """The operand is true for an upstream partition of each dependency."""

    name: ClassVar[str] = "ALL_DEPS_MATCH"


class AnyChecks(_ScopedOne, frozen=True, kw_only=True, tag="any_checks"):
    """The operand is true for any check (`blocking_only`: any blocking one) of the asset."""

    blocking_only: bool = False
    name: ClassVar[str] = "ANY_CHECKS_MATCH"


class AllChecks(_ScopedOne, frozen=True, kw_only=True, tag="all_checks"):
    """The operand is true for all checks (`blocking_only`: all blocking ones) of the asset."""

    blocking_only: bool = False
    name: ClassVar[str] = "ALL_CHECKS_MATCH"


class EntityMatches(_One, frozen=True, kw_only=True, tag="asset_matches"):
    """The operand is true for another asset."""

    key: str
    name: ClassVar[str] = "ASSET_MATCHES"

    @property
    def words(self) -> str:
        """Its label, or its name with the asset's key."""
        return self.label or f"{self.name}({self.key})"


class AnyDownstream(_Scoped, frozen=True, kw_only=True, tag="any_downstream_conditions"):
    """The condition of any asset downstream is true."""

    name: ClassVar[str] = "ANY_DOWNSTREAM_CONDITIONS"


class JobRoots(_One, frozen=True, kw_only=True, tag="job_roots"):
    """The operand is true for any (`every`: for all) of a job's root assets."""

    every: bool = False
    name: ClassVar[str] = "JOB_ROOT_ASSETS_MATCH"


def tag_of(condition: Any) -> str:
    """The tag that names a record's class where it is written."""
    return str(condition.__struct_config__.tag)


def checked_words(condition: Any) -> str:
    """How a condition is called, or the value as it is where it is none."""
    return condition.words if isinstance(condition, AutomationCondition) else repr(condition)


def _either(present: Any, added: Any) -> Any:
    if present is None or added is None:
        return added if present is None else present
    return present | added


def _text(selection: Any) -> str:
    text: str = selection if isinstance(selection, str) else selection.to_text()
    return text


ConditionRecord: TypeAlias = (
    Missing
    | RunInProgress
    | BackfillInProgress
    | ExecutionFailed
    | CodeVersionChanged
    | DataVersionChanged
    | NewlyUpdated
    | NewlyRequested
    | WillBeRequested
    | InitialEvaluation
    | InLatestTimeWindow
    | CronTickPassed
    | RootTarget
    | LatestRunTags
    | NewUpdateTags
    | CheckResultIs
    | FreshnessIs
    | CustomCondition
    | And
    | Or
    | Not
    | NewlyTrue
    | Since
    | AnyDeps
    | AllDeps
    | AnyChecks
    | AllChecks
    | EntityMatches
    | AnyDownstream
    | JobRoots
)
"""The conditions that a location's description can carry."""

if TYPE_CHECKING:
    Part: TypeAlias = AutomationCondition
else:
    Part = ConditionRecord  # what is read back; beside these, users' own conditions may be parts of one
