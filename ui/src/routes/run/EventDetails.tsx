/** All that is known of one event: its whole message, error, metadata and time. */
import { ErrorPanel } from "../../kit/ErrorPanel";
import { Facts } from "../../kit/Facts";
import { Link } from "../../kit/Link";
import { Time } from "../../kit/Time";
import { links } from "../../links";
import { MetadataView } from "../../metadata/MetadataView";
import type { RunEvent } from "../../services/runs";
import css from "./Log.module.css";

export function EventDetails({ event }: { event: RunEvent }) {
  const error = "error" in event ? event.error : null;
  const metadata =
    "metadataEntries" in event
      ? event.metadataEntries
      : event.__typename === "AssetCheckEvaluationEvent"
        ? event.evaluation.metadataEntries
        : [];
  const asset = "assetKey" in event ? event.assetKey : "evaluation" in event ? event.evaluation.assetKey : null;
  const partition = "partition" in event ? event.partition : null;
  return (
    <div className={css.detailsBody}>
      <pre className={css.whole}>{event.message}</pre>
      {error === null ? null : <ErrorPanel error={error} />}
      <Facts
        facts={[
          ["Time", <Time key="time" at={Number(event.timestamp) / 1000} />],
          ["Step", event.stepKey],
          ["Level", event.level.toLowerCase()],
          ["Logger", event.__typename === "LogMessageEvent" ? event.logger : null],
          [
            "Asset",
            asset === null ? null : (
              <Link key="asset" to={links.asset(asset.path, { partition })}>
                {asset.path.join(" / ")}
              </Link>
            ),
          ],
          ["Partition", partition],
          ["Event", `${event.eventId}`],
        ]}
      />
      {metadata.length === 0 ? null : <MetadataView entries={metadata} />}
    </div>
  );
}
