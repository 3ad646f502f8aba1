/** What happened to an asset, newest first: materializations and observations with what they told. */
import { useState } from "react";

import { Button } from "../../kit/Button";
import { Empty } from "../../kit/Empty";
import { Failure } from "../../kit/ErrorPanel";
import { Chip } from "../../kit/Facts";
import { Link } from "../../kit/Link";
import { Skeleton } from "../../kit/Skeleton";
import { Time } from "../../kit/Time";
import { links } from "../../links";
import { MetadataView } from "../../metadata/MetadataView";
import { ASSET_EVENTS } from "../../services/assets";
import { useData } from "../../services/data";
import { useSearchState } from "../../services/navigation";
import { shortId } from "../../services/run.model";
import type { AssetEventsQuery } from "../../services/schema.gen";
import css from "./asset.module.css";

type Found = Extract<AssetEventsQuery["assetOrError"], { __typename: "Asset" }>;
type AssetEvent = Found["assetMaterializations"][number] | Found["assetObservations"][number];

const PAGE = 50;

export function Events({ path }: { path: readonly string[] }) {
  const [limit, setLimit] = useState(PAGE);
  const [{ event }, setSearch] = useSearchState();
  const answer = useData(ASSET_EVENTS, { key: { path: [...path] }, limit }, { live: ["assets"] });
  const found = answer.data?.assetOrError;
  if (answer.error)
    return <Failure error={answer.error} title="The events could not be read." onRetry={() => void answer.refetch()} />;
  if (!found) return <Skeleton rows={10} />;
  const { assetMaterializations: made = [], assetObservations: seen = [] } = found.__typename === "Asset" ? found : {};
  const events: AssetEvent[] = [...made, ...seen].toSorted((a, b) => Number(b.timestamp) - Number(a.timestamp));
  if (events.length === 0) {
    return (
      <Empty title="No events yet" icon="runs">
        Each materialization and observation is listed here with its run, partition and metadata.
      </Empty>
    );
  }
  const open = events.find((each) => each.eventId === event) ?? events[0]!;
  return (
    <div className={css.columns}>
      <div className={css.listing}>
        <ul className={css.events} aria-label="Events">
          {events.map((each) => (
            <li key={each.eventId}>
              <button
                type="button"
                className={css.event}
                aria-current={each === open}
                onClick={() => setSearch({ event: each.eventId })}
              >
                <span>{each.__typename === "MaterializationEvent" ? "Materialization" : "Observation"}</span>
                <span className={css.quiet}>
                  {each.partition === null ? null : `${each.partition} · `}
                  <Time at={Number(each.timestamp) / 1000} />
                </span>
              </button>
            </li>
          ))}
        </ul>
        {made.length === limit || seen.length === limit ? (
          <p className={css.note}>
            <Button onPress={() => setLimit(limit + 4 * PAGE)}>Show older</Button>
          </p>
        ) : null}
      </div>
      <div className={css.detail}>
        <section className={css.one} aria-label="The chosen event">
          <header className={css.oneHead}>
            <h3>
              <Time at={Number(open.timestamp) / 1000} />
            </h3>
            {open.partition === null ? null : <Chip>{open.partition}</Chip>}
            <span className={css.grow} />
            {open.runId ? (
              <Link to={links.run(open.runId)}>run {shortId(open.runId)}</Link>
            ) : (
              <span className={css.quiet}>reported without a run</span>
            )}
          </header>
          {open.description ? <p className={css.words}>{open.description}</p> : null}
          {open.tags.length > 0 ? (
            <p className={css.chips}>
              {open.tags.map((tag) => (
                <Chip key={tag.key}>
                  {tag.key}: {tag.value}
                </Chip>
              ))}
            </p>
          ) : null}
          {open.metadataEntries.length > 0 ? (
            <MetadataView entries={open.metadataEntries} />
          ) : (
            <p className={css.quiet}>It attached no metadata.</p>
          )}
        </section>
      </div>
    </div>
  );
}
