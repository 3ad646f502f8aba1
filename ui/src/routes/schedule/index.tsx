/** One schedule: its switch, its next ticks, what became of the earlier ones, and a dry run. */
import { useParams } from "@tanstack/react-router";
import { useState } from "react";

import css from "../../automation/automation.module.css";
import { DryRunDialog } from "../../automation/DryRun";
import { ActsOf, BeyondCode, Definition, InstigatorPage } from "../../automation/Instigator";
import { changeText, clockText, latenessText } from "../../automation/ticks.model";
import { TickTable, useTickFilter } from "../../automation/TickTable";
import { useSwitch } from "../../automation/useSwitch";
import { Empty } from "../../kit/Empty";
import { Failure } from "../../kit/ErrorPanel";
import { Link } from "../../kit/Link";
import { Section } from "../../kit/Page";
import { Skeleton } from "../../kit/Skeleton";
import { Time, useTimeStyle } from "../../kit/Time";
import { links } from "../../links";
import { AUTOMATION_TOPICS, DRY_RUN_SCHEDULE, SCHEDULE_DETAIL } from "../../services/automation";
import { useAction, useData } from "../../services/data";
import type { ScheduleDetailQuery } from "../../services/schema.gen";
import { durationText, longTime } from "../../services/time.model";

type Schedule = Extract<ScheduleDetailQuery["scheduleOrError"], { __typename: "Schedule" }>;

export default function SchedulePage() {
  const { location = "", schedule = "" } = useParams({ strict: false }) as { location?: string; schedule?: string };
  return <ScheduleView key={`${location}/${schedule}`} location={location} name={schedule} />;
}

function ScheduleView({ location, name }: { location: string; name: string }) {
  const selector = { repositoryLocationName: location, scheduleName: name };
  const { statuses, limit, showOlder } = useTickFilter();
  const answer = useData(SCHEDULE_DETAIL, { selector, statuses, limit }, { live: AUTOMATION_TOPICS });
  const [isOverriding, setOverriding] = useState(false);
  const control = useSwitch("schedule", location);
  const dryRun = useAction(DRY_RUN_SCHEDULE);
  const [isTrying, setTrying] = useState(false);
  const found = answer.data?.scheduleOrError;
  const schedule = found?.__typename === "Schedule" ? found : undefined;
  const evaluate = () => {
    setTrying(true);
    dryRun.mutate({ selector });
  };
  return (
    <InstigatorPage
      name={name}
      location={location}
      control={control}
      state={schedule && { isOn: schedule.scheduleState.status === "RUNNING", canReset: schedule.canReset }}
      under={schedule ? <span>{schedule.scheduleState.override?.cronDescription ?? schedule.cronDescription}</span> : undefined}
      onDryRun={evaluate}
      onOverride={() => setOverriding(true)}
    >
      {answer.error ? (
        <Failure error={answer.error} title="The schedule could not be read." onRetry={() => void answer.refetch()} />
      ) : !found ? (
        <Skeleton rows={10} />
      ) : !schedule ? (
        <Empty title="No such schedule" icon="automation" action={<Link to={links.automation()}>All automation</Link>}>
          {"message" in found ? found.message : null}
        </Empty>
      ) : (
        <>
          <BeyondCode
            kind="schedule"
            name={name}
            state={schedule.scheduleState}
            isOverriding={isOverriding}
            onOverride={setOverriding}
          />
          <Details schedule={schedule} location={location} />
          <TickTable
            location={location}
            name={name}
            ticks={schedule.scheduleState.ticks}
            limit={limit}
            onOlder={showOlder}
            isStale={answer.isPlaceholderData}
          />
          <ActsOf acts={schedule.scheduleState.acts} />
        </>
      )}
      {isTrying ? (
        <DryRunDialog
          name={name}
          answer={dryRun.isPending ? undefined : dryRun.data?.answer}
          error={dryRun.error}
          onAgain={evaluate}
          onClose={() => setTrying(false)}
        />
      ) : null}
    </InstigatorPage>
  );
}

function Details({ schedule, location }: { schedule: Schedule; location: string }) {
  const style = useTimeStyle();
  const state = schedule.scheduleState;
  const zone = state.override?.executionTimezone ?? schedule.executionTimezone ?? "UTC";
  return (
    <div className={css.top}>
      <Definition
        of={schedule}
        declaredInCode={state.declaredInCode}
        facts={[
          ["Cron", <code key="cron">{schedule.cronSchedule}</code>],
          ["Time zone", zone],
          ["Changes of clocks", changeText(schedule.dstGap, schedule.dstFold)],
          ["Missed ticks made up", schedule.maxCatchupRuns === null ? "as the settings say" : `at most ${schedule.maxCatchupRuns}`],
          ["Time-out", durationText(schedule.timeoutSeconds)],
          ["Lateness", state.lateness === null ? null : latenessText(state.lateness)],
          [
            "Starts",
            schedule.pipelineName.startsWith("__") ? (
              "assets"
            ) : (
              <Link key="job" to={links.job(location, schedule.pipelineName)}>
                {schedule.pipelineName}
              </Link>
            ),
          ],
        ]}
      />
      <Section title={state.status === "RUNNING" ? "Next ticks" : "Next ticks, if it were on"}>
        <ol className={css.next}>
          {schedule.futureTicks.results.map(({ timestamp, clockChange }) => (
            <li key={timestamp}>
              <Time at={timestamp} /> <span className={css.quiet}>{longTime(timestamp, { ...style, zone })}</span>
              {clockChange === null ? null : <span className={css.mark}> {clockText(clockChange)}</span>}
            </li>
          ))}
        </ol>
      </Section>
    </div>
  );
}
