/** One sensor: its switch, its cursor, what became of its ticks, and a dry run. */
import { useParams } from "@tanstack/react-router";
import { useState } from "react";

import css from "../../automation/automation.module.css";
import { DryRunDialog } from "../../automation/DryRun";
import { ActsOf, BeyondCode, Definition, InstigatorPage } from "../../automation/Instigator";
import { latenessText, rhythmText, sensorKind } from "../../automation/ticks.model";
import { TickTable, useTickFilter } from "../../automation/TickTable";
import { useSwitch } from "../../automation/useSwitch";
import { Button } from "../../kit/Button";
import { Empty } from "../../kit/Empty";
import { Failure } from "../../kit/ErrorPanel";
import { Facts } from "../../kit/Facts";
import { Link } from "../../kit/Link";
import { Section } from "../../kit/Page";
import { Skeleton } from "../../kit/Skeleton";
import { Time } from "../../kit/Time";
import { links } from "../../links";
import { AUTOMATION_TOPICS, DRY_RUN_SENSOR, SENSOR_DETAIL } from "../../services/automation";
import { useAction, useData } from "../../services/data";
import type { SensorDetailQuery } from "../../services/schema.gen";
import { durationText } from "../../services/time.model";
import { CursorDialog } from "./CursorDialog";
import { Webhook } from "./Webhook";

const SENSOR_TOPICS = [...AUTOMATION_TOPICS, "webhooks"];

type Sensor = Extract<SensorDetailQuery["sensorOrError"], { __typename: "Sensor" }>;

export default function SensorPage() {
  const { location = "", sensor = "" } = useParams({ strict: false }) as { location?: string; sensor?: string };
  return <SensorView key={`${location}/${sensor}`} location={location} name={sensor} />;
}

function SensorView({ location, name }: { location: string; name: string }) {
  const selector = { repositoryLocationName: location, sensorName: name };
  const { statuses, limit, showOlder } = useTickFilter();
  const answer = useData(SENSOR_DETAIL, { selector, statuses, limit }, { live: SENSOR_TOPICS });
  const [isOverriding, setOverriding] = useState(false);
  const control = useSwitch("sensor", location);
  const dryRun = useAction(DRY_RUN_SENSOR);
  const [open, setOpen] = useState<"dry run" | "cursor">();
  const found = answer.data?.sensorOrError;
  const sensor = found?.__typename === "Sensor" ? found : undefined;
  const evaluate = () => {
    setOpen("dry run");
    dryRun.mutate({ selector, cursor: sensor?.sensorState.cursor ?? null });
  };
  return (
    <InstigatorPage
      name={name}
      location={location}
      control={control}
      state={sensor && { isOn: sensor.sensorState.status === "RUNNING", canReset: sensor.canReset }}
      under={sensor ? <span>{rhythmText(sensor, sensor.sensorState.override?.intervalSeconds ?? sensor.minIntervalSeconds)}</span> : undefined}
      onDryRun={evaluate}
      onOverride={() => setOverriding(true)}
    >
      {answer.error ? (
        <Failure error={answer.error} title="The sensor could not be read." onRetry={() => void answer.refetch()} />
      ) : !found ? (
        <Skeleton rows={10} />
      ) : !sensor ? (
        <Empty title="No such sensor" icon="automation" action={<Link to={links.automation()}>All automation</Link>}>
          {"message" in found ? found.message : null}
        </Empty>
      ) : (
        <>
          <BeyondCode
            kind="sensor"
            name={name}
            state={sensor.sensorState}
            isOverriding={isOverriding}
            onOverride={setOverriding}
          />
          <Details sensor={sensor} location={location} onCursor={() => setOpen("cursor")} />
          {sensor.webhook === null ? null : <Webhook webhook={sensor.webhook} selector={selector} />}
          <TickTable
            location={location}
            name={name}
            ticks={sensor.sensorState.ticks}
            limit={limit}
            onOlder={showOlder}
            isStale={answer.isPlaceholderData}
            precise
          />
          <ActsOf acts={sensor.sensorState.acts} />
        </>
      )}
      {open === "dry run" ? (
        <DryRunDialog
          name={name}
          answer={dryRun.isPending ? undefined : dryRun.data?.answer}
          error={dryRun.error}
          onAgain={evaluate}
          onClose={() => setOpen(undefined)}
        />
      ) : null}
      {open === "cursor" && sensor ? (
        <CursorDialog selector={selector} cursor={sensor.sensorState.cursor ?? ""} onClose={() => setOpen(undefined)} />
      ) : null}
    </InstigatorPage>
  );
}

function Details({ sensor, location, onCursor }: { sensor: Sensor; location: string; onCursor: () => void }) {
  const state = sensor.sensorState;
  return (
    <div className={css.top}>
      <Definition
        of={sensor}
        declaredInCode={state.declaredInCode}
        facts={[
          ["Kind", sensorKind(sensor.sensorType)],
          [
            "Watches",
            sensor.metadata.assetKeys && sensor.metadata.assetKeys.length > 0
              ? sensor.metadata.assetKeys.map(({ path }) => (
                  <Link key={path.join("/")} to={links.asset(path)}>
                    {path.join("/")}{" "}
                  </Link>
                ))
              : null,
          ],
          [
            "Starts",
            sensor.targets.length === 0
              ? null
              : sensor.targets.map(({ pipelineName }) =>
                  pipelineName.startsWith("__") ? (
                    "assets"
                  ) : (
                    <Link key={pipelineName} to={links.job(location, pipelineName)}>
                      {pipelineName}{" "}
                    </Link>
                  ),
                ),
          ],
        ]}
      />
      <Section title="State">
        <Facts
          facts={[
            [
              "Cursor",
              <span key="cursor" className={css.cursor}>
                {state.cursor === null ? (
                  <span className={css.quiet}>none</span>
                ) : (
                  <code title={state.cursor}>{state.cursor}</code>
                )}
                <Button variant="quiet" onPress={onCursor}>
                  Change
                </Button>
              </span>,
            ],
            ["Lateness", state.lateness === null ? null : latenessText(state.lateness)],
            ["Time-out", durationText(sensor.timeoutSeconds)],
            ["Last run key", state.lastRunKey],
            ["Last tick", state.lastTickTime === null ? null : <Time key="last" relative at={state.lastTickTime} />],
            [
              "Next tick",
              state.status === "RUNNING" && state.nextTick ? (
                <Time key="next" relative at={state.nextTick.timestamp} />
              ) : null,
            ],
          ]}
        />
      </Section>
    </div>
  );
}
