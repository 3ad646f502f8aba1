/** What needs somebody: broken locations, sick duties, alerts that reach nobody, ticks and runs that failed, checks. */
import { cx } from "../../kit/cx";
import { Icon } from "../../kit/Icon";
import { Link } from "../../kit/Link";
import { Time } from "../../kit/Time";
import { errorStory, headline } from "../../kit/error.model";
import { links } from "../../links";
import type { OverviewRun } from "../../services/overview";
import { targetOf } from "../../services/run.model";
import type { OverviewChecksQuery, OverviewFailingQuery, OverviewQuery } from "../../services/schema.gen";
import { failedChecks, groupFailures, unmended, untaken } from "./attention.model";
import css from "./Overview.module.css";

const SHOWN = 6;

interface AttentionProps {
  data: OverviewQuery;
  /** Undefined: not known yet. */
  checks: OverviewChecksQuery | undefined;
  /** Undefined: not known yet. */
  failing: OverviewFailingQuery | undefined;
  runs: readonly OverviewRun[];
}

export function Attention({ data, checks, failing, runs: all }: AttentionProps) {
  const entries = data.workspaceOrError.__typename === "Workspace" ? data.workspaceOrError.locationEntries : [];
  const duties = data.instance.daemonHealth.allDaemonStatuses;
  const groups = groupFailures(unmended(all));
  const unpassed = failedChecks(checks?.assetNodes ?? []);
  const required = duties.filter((duty) => duty.required);
  const sick = required.filter((duty) => duty.healthy === false);
  const idle = sick.length > 1 && sick.length === required.length && sick.every((duty) => duty.holder === null);
  const broken = entries.filter((entry) => entry.loadError !== null);
  const ticks = failing?.failingInstigations ?? [];
  const { waiting, givenUp } = failing?.instance.alerts ?? {};
  const messages = untaken([...(waiting?.results ?? []), ...(givenUp?.results ?? [])], Date.now() / 1000);
  if (broken.length + sick.length + messages.length + ticks.length + groups.length + unpassed.length === 0) {
    if (checks === undefined || failing === undefined) return <p className={css.calm}>Looking at checks, ticks and alerts</p>;
    return (
      <p className={css.calm}>
        <Icon name="check" size={14} /> Nothing needs your attention.
      </p>
    );
  }
  return (
    <ul className={css.attention}>
      {broken.map((entry) => (
        <li key={entry.name}>
          <Link bare className={css.problem} to={links.deployment({ location: entry.name })}>
            <Icon name="deployment" size={15} />
            <b>{entry.name} does not load</b>
            <span className={css.why}>{entry.loadError === null ? "" : headline(errorStory(entry.loadError).cause)}</span>
            <span className={css.aside}>{entry.stale ? "the last good definitions serve" : "nothing is served"}</span>
          </Link>
        </li>
      ))}
      {idle ? (
        <li>
          <Link bare className={css.problem} to={links.deployment({ tab: "processes" })}>
            <Icon name="automation" size={15} />
            <b>No daemon is running</b>
            <span className={css.why}>Nobody launches queued runs, ticks schedules and sensors, or watches over runs.</span>
          </Link>
        </li>
      ) : null}
      {(idle ? [] : sick).map((duty) => (
        <li key={duty.daemonType}>
          <Link bare className={css.problem} to={links.deployment({ tab: "processes" })}>
            <Icon name="automation" size={15} />
            <b>{dutyName(duty.daemonType)} is not being done</b>
            <span className={css.why}>{duty.lastHeartbeatErrors[0]?.message ?? "No daemon holds this duty. Is one running?"}</span>
          </Link>
        </li>
      ))}
      {messages.map(({ rule, target, error, at, isGivenUp }) => (
        <li key={`${rule} ${target}`}>
          <Link bare className={css.problem} to={links.deployment({ tab: "alerts", status: isGivenUp ? "GIVEN_UP" : "PENDING" })}>
            <Icon name="warning" size={15} />
            <b>
              Alerts of {rule} do not reach {target}
            </b>
            <span className={css.why}>{error}</span>
            <span className={css.aside}>
              newest <Time at={at} relative />, {isGivenUp ? "given up" : "tried again"}
            </span>
          </Link>
        </li>
      ))}
      {ticks.slice(0, SHOWN).map(({ instigationState: { id, name, instigationType, repositoryLocationName: location }, tick }) => (
        <li key={id}>
          <Link bare className={css.problem} to={(instigationType === "SCHEDULE" ? links.schedule : links.sensor)(location, name, { tick: tick.tickId })}>
            <Icon name="automation" size={15} />
            <b>{name}</b>
            <span className={css.why}>{tick.error === null ? "" : headline(errorStory(tick.error).cause)}</span>
            <span className={css.aside}>
              {instigationType === "SCHEDULE" ? "schedule" : "sensor"} failed, <Time at={tick.timestamp} relative />
            </span>
          </Link>
        </li>
      ))}
      {ticks.length > SHOWN ? (
        <li className={css.rest}>
          <Link to={links.automation({ show: "failing" })}>{ticks.length - SHOWN} more schedules and sensors that fail</Link>
        </li>
      ) : null}
      {groups.slice(0, SHOWN).map(({ key, runs }) => {
        const latest = runs[0]!;
        const { failure } = latest;
        return (
          <li key={key}>
            <Link
              bare
              className={css.problem}
              to={runs.length === 1 ? links.run(latest.runId) : links.runs({ status: ["FAILURE"], job: latest.jobName })}
            >
              <Icon name="warning" size={15} />
              <b>{targetOf(latest)}</b>
              <span className={css.why}>
                {failure?.stepKey ? `${failure.stepKey}: ` : ""}
                {failure?.message ?? "failed"}
              </span>
              <span className={css.aside}>
                {runs.length > 1 ? `${runs.length} runs, ` : ""}
                <Time at={latest.endTime ?? latest.creationTime} relative />
              </span>
            </Link>
          </li>
        );
      })}
      {groups.length > SHOWN ? (
        <li className={css.rest}>
          <Link to={links.runs({ status: ["FAILURE"] })}>{groups.length - SHOWN} more kinds of failure</Link>
        </li>
      ) : null}
      {unpassed.slice(0, SHOWN).map(({ path, name, warns, words, at }) => (
        <li key={[...path, name].join("/")}>
          <Link bare className={cx(css.problem, warns && css.mild)} to={links.asset(path, { view: "checks", check: name })}>
            <Icon name="warning" size={15} />
            <b>{path.join("/")}</b>
            <span className={css.why}>
              {name}: {words}
            </span>
            <span className={css.aside}>
              {warns ? "check warned, " : "check failed, "}
              <Time at={at} relative />
            </span>
          </Link>
        </li>
      ))}
      {unpassed.length > SHOWN ? (
        <li className={css.rest}>
          <Link to={links.assets()}>{unpassed.length - SHOWN} more checks that did not pass</Link>
        </li>
      ) : null}
    </ul>
  );
}

const DUTIES: Record<string, string> = {
  SCHEDULER: "Scheduling",
  SENSOR: "Evaluation of sensors",
  QUEUED_RUN_COORDINATOR: "The run queue",
  BACKFILL: "Backfills",
  MONITORING: "Run monitoring",
  FRESHNESS_DAEMON: "Freshness of assets",
};

export function dutyName(daemonType: string): string {
  return DUTIES[daemonType] ?? daemonType;
}
