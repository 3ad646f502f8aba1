"""Automation conditions: when an asset or check is to be run, said as an expression over what is known of assets.

What the methods here give are the frozen records of `nodes`, so a code location's description carries them; the engine
says which partitions they are true for. A subclass of `AutomationCondition` that users write is no record: only
processes that have loaded the code can evaluate it, and the description names it by a `CustomCondition`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import timedelta
from typing import Any, ClassVar, Self

from ...errors import DefinitionError
from ...partitions.cron import parse
from ...partitions.wall_time import zone_named
from ..keys import AssetKey, CoercibleToAssetKey

__all__ = ["AutomationCondition", "checked"]


class AutomationCondition:
    """When an asset or check is to be run. Combine conditions with `&`, `|` and `~`.

    The static methods give the conditions that there are. For one of your own, write a subclass with a method
    `evaluate(context)` that takes an `AutomationContext` and returns an `AutomationResult`.
    """

    __slots__ = ()
    label: Any = None
    name: ClassVar[str] = ""
    is_record: ClassVar[bool] = False
    """Whether it is data, and not a condition of users' own."""

    def __class_getitem__(cls, kind: object) -> type[Self]:
        return cls

    # -- what it is ---------------------------------------------------------------------------------------------------

    @property
    def children(self) -> tuple[AutomationCondition, ...]:
        """The conditions that it is made of."""
        return ()

    def get_label(self) -> str | None:
        """The name that people gave it."""
        label: str | None = self.label
        return label

    @property
    def words(self) -> str:
        """How it is called: its label, or its name with what it was given."""
        return self.get_label() or self.name or type(self).__name__

    def mapped(self, change: Callable[[AutomationCondition], AutomationCondition]) -> AutomationCondition:
        """This condition with each of its children changed."""
        return self

    def scoped(self, *, allow: Any = None, ignore: Any = None) -> AutomationCondition:
        """This condition where each part that looks at other assets looks at fewer."""
        return self.mapped(lambda child: child.scoped(allow=allow, ignore=ignore))

    def walk(self) -> Iterable[AutomationCondition]:
        """This condition and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()

    # -- combining ----------------------------------------------------------------------------------------------------

    def __and__(self, other: AutomationCondition) -> nodes.And:
        return nodes.And(operands=(*_operands(self, nodes.And), *_operands(checked(other, "&"), nodes.And)))

    def __or__(self, other: AutomationCondition) -> nodes.Or:
        return nodes.Or(operands=(*_operands(self, nodes.Or), *_operands(checked(other, "|"), nodes.Or)))

    def __invert__(self) -> nodes.Not:
        return nodes.Not(operand=self)

    def newly_true(self) -> nodes.NewlyTrue:
        """True where this was not true at the last evaluation and is now."""
        return nodes.NewlyTrue(operand=self)

    def since(self, reset_condition: AutomationCondition) -> nodes.Since:
        """True from the evaluation at which this is true, until one at which the other is."""
        return nodes.Since(trigger=self, reset=checked(reset_condition, "since"))

    def since_last_handled(self) -> nodes.Since:
        """True since this was true, until the partition is requested or updated, or the condition is new."""
        handled = nodes.Or(
            operands=(nodes.NewlyRequested(), nodes.NewlyUpdated(), nodes.InitialEvaluation()), label="handled"
        )
        return nodes.Since(trigger=self, reset=handled)

    def replace(self, old: AutomationCondition | str, new: AutomationCondition) -> AutomationCondition:
        """This condition with another in the place of each part that equals `old`, or has it as its label or name."""
        checked(new, "replace")
        if self == old or (isinstance(old, str) and old in {self.get_label(), self.name}):
            return new
        return self.mapped(lambda child: child.replace(old, new))

    # -- what there is: of the asset or check itself -------------------------------------------------------------------

    @staticmethod
    def missing() -> nodes.Missing:
        """True where it was never made or observed; for a check, where it was never evaluated."""
        return nodes.Missing()

    @staticmethod
    def run_in_progress() -> nodes.RunInProgress:
        """True where a run that has not ended is to make it."""
        return nodes.RunInProgress()

    @staticmethod
    def backfill_in_progress() -> nodes.BackfillInProgress:
        """True where a backfill that has not ended is to make it."""
        return nodes.BackfillInProgress()

    @staticmethod
    def in_progress() -> nodes.Or:
        """True where a run or a backfill that has not ended is to make it."""
        return nodes.Or(operands=(nodes.RunInProgress(), nodes.BackfillInProgress()), label="in_progress")

    @staticmethod
    def execution_failed() -> nodes.ExecutionFailed:
        """True where the last run that was to make it ended without doing so."""
        return nodes.ExecutionFailed()

    @staticmethod
    def code_version_changed() -> nodes.CodeVersionChanged:
        """True where its code version is another one than at the last evaluation."""
        return nodes.CodeVersionChanged()

    @staticmethod
    def data_version_changed() -> nodes.DataVersionChanged:
        """True where its data version has changed since the last evaluation."""
        return nodes.DataVersionChanged()

    @staticmethod
    def newly_updated() -> nodes.NewlyUpdated:
        """True where it was made or observed since the last evaluation; for a check, evaluated."""
        return nodes.NewlyUpdated()

    @staticmethod
    def newly_requested() -> nodes.NewlyRequested:
        """True where the last evaluation requested it."""
        return nodes.NewlyRequested()

    @staticmethod
    def will_be_requested() -> nodes.WillBeRequested:
        """True where this evaluation requests it; made for use on dependencies."""
        return nodes.WillBeRequested()

    @staticmethod
    def initial_evaluation() -> nodes.InitialEvaluation:
        """True at the first evaluation of the whole condition, also after it was changed."""
        return nodes.InitialEvaluation()

    @staticmethod
    def in_latest_time_window(lookback_delta: timedelta | None = None) -> nodes.InLatestTimeWindow:
        """True for the latest partition of a set of time windows, and always for what has other or no partitions.

        Args:
            lookback_delta: Take every window that ended less than this long before the end of the latest one.
        """
        if lookback_delta is None:
            return nodes.InLatestTimeWindow()
        if not isinstance(lookback_delta, timedelta):
            raise DefinitionError(
                f"in_latest_time_window has lookback_delta={lookback_delta!r}; give a datetime.timedelta."
            )
        return nodes.InLatestTimeWindow(lookback=lookback_delta.total_seconds())

    @staticmethod
    def cron_tick_passed(cron_schedule: str, cron_timezone: str = "UTC") -> nodes.CronTickPassed:
        """True at the first evaluation after each time that a cron text says.

        Raises:
            DefinitionError: The text or the time zone is not valid.
        """
        parse(cron_schedule)
        zone_named(cron_timezone)
        return nodes.CronTickPassed(cron_schedule=cron_schedule, cron_timezone=cron_timezone)

    @staticmethod
    def newly_missing() -> nodes.NewlyTrue:
        """True where it has become missing since the last evaluation, for example because the partition is new."""
        return nodes.NewlyTrue(operand=nodes.Missing(), label="newly_missing")

    @staticmethod
    def executed_with_root_target() -> nodes.RootTarget:
        """True where the run that last made it was also to make the asset whose condition this is, same partition."""
        return nodes.RootTarget()

    @staticmethod
    def executed_with_tags(
        *, tag_keys: AbstractSet[str] | None = None, tag_values: Mapping[str, str] | None = None
    ) -> nodes.LatestRunTags:
        """True where the run that last made it has all of these tags.

        Args:
            tag_keys: Tags that it has with any value.
            tag_values: Tags that it has with these values.
        """
        return nodes.LatestRunTags(keys=tuple(sorted(tag_keys or ())), values=tuple(sorted((tag_values or {}).items())))

    @staticmethod
    def any_new_update_has_run_tags(
        *, tag_keys: AbstractSet[str] | None = None, tag_values: Mapping[str, str] | None = None
    ) -> nodes.NewUpdateTags:
        """True where a run with all of these tags has made it since the last evaluation."""
        return nodes.NewUpdateTags(keys=tuple(sorted(tag_keys or ())), values=tuple(sorted((tag_values or {}).items())))

    @staticmethod
    def all_new_updates_have_run_tags(
        *, tag_keys: AbstractSet[str] | None = None, tag_values: Mapping[str, str] | None = None
    ) -> nodes.NewUpdateTags:
        """True where it was made since the last evaluation, and only by runs with all of these tags."""
        return nodes.NewUpdateTags(
            keys=tuple(sorted(tag_keys or ())), values=tuple(sorted((tag_values or {}).items())), every=True
        )

    @staticmethod
    def check_passed() -> nodes.CheckResultIs:
        """True for a check whose last evaluation passed."""
        return nodes.CheckResultIs(passed=True)

    @staticmethod
    def check_failed() -> nodes.CheckResultIs:
        """True for a check whose last evaluation did not pass."""
        return nodes.CheckResultIs(passed=False)

    @staticmethod
    def freshness_passed() -> nodes.FreshnessIs:
        """True for an asset that is as fresh as its policy asks for."""
        return nodes.FreshnessIs(state="PASS", label="freshness_passed")

    @staticmethod
    def freshness_warned() -> nodes.FreshnessIs:
        """True for an asset that is so old that its policy warns."""
        return nodes.FreshnessIs(state="WARN", label="freshness_warned")

    @staticmethod
    def freshness_failed() -> nodes.FreshnessIs:
        """True for an asset that is older than its policy allows."""
        return nodes.FreshnessIs(state="FAIL", label="freshness_failed")

    # -- what there is: of other assets and of checks -----------------------------------------------------------------

    @staticmethod
    def any_deps_match(condition: AutomationCondition) -> nodes.AnyDeps:
        """True where the condition is true for any upstream partition of any dependency."""
        return nodes.AnyDeps(operand=checked(condition, "any_deps_match"))

    @staticmethod
    def all_deps_match(condition: AutomationCondition) -> nodes.AllDeps:
        """True where each dependency has an upstream partition that the condition is true for."""
        return nodes.AllDeps(operand=checked(condition, "all_deps_match"))

    @staticmethod
    def any_deps_missing() -> nodes.AnyDeps:
        """True where a dependency is missing and will not be requested now."""
        return nodes.AnyDeps(operand=nodes.Missing() & ~nodes.WillBeRequested(), label="any_deps_missing")

    @staticmethod
    def any_deps_in_progress() -> nodes.AnyDeps:
        """True where a dependency is being made."""
        return nodes.AnyDeps(operand=AutomationCondition.in_progress(), label="any_deps_in_progress")

    @staticmethod
    def any_deps_updated() -> nodes.AnyDeps:
        """True where a dependency was updated since the last evaluation, or will be requested now.

        An update by a run that made this asset too does not count.
        """
        alone = nodes.And(operands=(nodes.NewlyUpdated(), ~nodes.RootTarget()), label="newly_updated_without_root")
        return nodes.AnyDeps(operand=alone | nodes.WillBeRequested(), label="any_deps_updated")

    @staticmethod
    def all_deps_updated_since_cron(cron_schedule: str, cron_timezone: str = "UTC") -> nodes.AllDeps:
        """True where each dependency was updated since the last time of a cron text, or will be requested now."""
        passed = AutomationCondition.cron_tick_passed(cron_schedule, cron_timezone)
        return nodes.AllDeps(
            operand=nodes.NewlyUpdated().since(passed) | nodes.WillBeRequested(),
            label=f"all_deps_updated_since_cron({cron_schedule}, {cron_timezone})",
        )

    @staticmethod
    def any_checks_match(condition: AutomationCondition, blocking_only: bool = False) -> nodes.AnyChecks:
        """True where the condition is true for any check of the asset.

        Args:
            condition: The condition, for a check.
            blocking_only: Look at blocking checks alone.
        """
        return nodes.AnyChecks(operand=checked(condition, "any_checks_match"), blocking_only=blocking_only)

    @staticmethod
    def all_checks_match(condition: AutomationCondition, blocking_only: bool = False) -> nodes.AllChecks:
        """True where the condition is true for all checks of the asset; also where it has none.

        Args:
            condition: The condition, for a check.
            blocking_only: Look at blocking checks alone.
        """
        return nodes.AllChecks(operand=checked(condition, "all_checks_match"), blocking_only=blocking_only)

    @staticmethod
    def all_deps_blocking_checks_passed() -> nodes.AllDeps:
        """True where all blocking checks on all dependencies have passed, or will be requested now."""
        passed = nodes.AllChecks(operand=nodes.CheckResultIs(passed=True) | nodes.WillBeRequested(), blocking_only=True)
        return nodes.AllDeps(operand=passed, label="all_deps_blocking_checks_passed")

    @staticmethod
    def asset_matches(key: CoercibleToAssetKey, condition: AutomationCondition) -> nodes.EntityMatches:
        """True where the condition is true for the asset of this key, whether it is a dependency or not."""
        text = AssetKey.from_coercible(key).to_user_string()
        return nodes.EntityMatches(key=text, operand=checked(condition, "asset_matches"))

    @staticmethod
    def any_downstream_conditions() -> nodes.AnyDownstream:
        """True where the condition of any asset downstream is true, as if it were the condition of this asset."""
        return nodes.AnyDownstream()

    @staticmethod
    def any_job_root_assets_match(condition: AutomationCondition) -> nodes.JobRoots:
        """For a job: true if the condition is true for any of its root assets."""
        return nodes.JobRoots(operand=checked(condition, "any_job_root_assets_match"))

    @staticmethod
    def all_job_root_assets_match(condition: AutomationCondition) -> nodes.JobRoots:
        """For a job: true if the condition is true for all of its root assets."""
        return nodes.JobRoots(operand=checked(condition, "all_job_root_assets_match"), every=True)

    # -- what there is: ready to use -----------------------------------------------------------------------------------

    @staticmethod
    def eager() -> nodes.And:
        """Run whenever a dependency is updated, or the (latest) partition is missing, once all dependencies are there.

        It does not run while it or a dependency is being made.
        """
        cause = AutomationCondition.newly_missing() | AutomationCondition.any_deps_updated()
        return nodes.And(
            operands=(
                nodes.InLatestTimeWindow(),
                cause.since_last_handled(),
                ~AutomationCondition.any_deps_missing(),
                ~AutomationCondition.any_deps_in_progress(),
                ~AutomationCondition.in_progress(),
            ),
            label="eager",
        )

    @staticmethod
    def on_cron(cron_schedule: str, cron_timezone: str = "UTC") -> nodes.And:
        """Run once after each time of a cron text, as soon as all dependencies were updated since then.

        Raises:
            DefinitionError: The text or the time zone is not valid.
        """
        return nodes.And(
            operands=(
                nodes.InLatestTimeWindow(),
                AutomationCondition.cron_tick_passed(cron_schedule, cron_timezone).since_last_handled(),
                AutomationCondition.all_deps_updated_since_cron(cron_schedule, cron_timezone),
            ),
            label=f"on_cron({cron_schedule}, {cron_timezone})",
        )

    @staticmethod
    def on_missing() -> nodes.And:
        """Run the (latest) partition when it has become missing, once all dependencies are there."""
        cause = nodes.Missing().newly_true().since_last_handled().with_label("missing_since_last_handled")
        return nodes.And(
            operands=(nodes.InLatestTimeWindow(), cause, ~AutomationCondition.any_deps_missing()),
            label="on_missing",
        )


def checked(condition: Any, where: str) -> AutomationCondition:
    """The condition itself, if it is one; raises `DefinitionError` otherwise."""
    if not isinstance(condition, AutomationCondition):
        raise DefinitionError(
            f"{where} takes a condition, not {condition!r}; make one with a method of AutomationCondition."
        )
    return condition


def _operands(condition: Any, kind: type[nodes.And] | type[nodes.Or]) -> tuple[Any, ...]:
    """A chain without a name of its own is one operator of many operands."""
    return condition.operands if isinstance(condition, kind) and condition.label is None else (condition,)


# The records are subclasses of the class above, whose methods make them.
from . import nodes  # noqa: E402
