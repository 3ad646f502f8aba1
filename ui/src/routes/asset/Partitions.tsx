/** All partitions of an asset: a bar to look at and to choose from, a list to find one in, and one in full. */
import { useMemo, useState } from "react";

import { Button } from "../../kit/Button";
import { Empty } from "../../kit/Empty";
import { Failure } from "../../kit/ErrorPanel";
import { Link } from "../../kit/Link";
import { PartitionBar } from "../../kit/PartitionBar";
import { countStatuses, type PartitionStatus, statusAt } from "../../kit/partitionBar.model";
import { Skeleton } from "../../kit/Skeleton";
import { StatusTag } from "../../kit/StatusTag";
import { Table } from "../../kit/Table";
import { SelectInput, TextInput } from "../../kit/TextInput";
import { Time } from "../../kit/Time";
import { links } from "../../links";
import { MetadataView } from "../../metadata/MetadataView";
import { ASSET_PARTITION_DETAIL, ASSET_PARTITIONS, type AssetCard } from "../../services/assets";
import { useData } from "../../services/data";
import { useSearchState } from "../../services/navigation";
import { shortId } from "../../services/run.model";
import css from "./asset.module.css";

interface PartitionsProps {
  asset: AssetCard;
  onMaterialize: (keys: readonly string[]) => void;
}

const STATUSES: readonly PartitionStatus[] = ["MATERIALIZED", "FAILED", "MATERIALIZING", "MISSING"];
/** A list for people: more than this is searched, not scrolled. */
const LISTED = 500;

export function Partitions({ asset, onMaterialize }: PartitionsProps) {
  const key = { path: [...asset.assetKey.path] };
  const answer = useData(ASSET_PARTITIONS, { key }, { live: ["assets"] });
  const [{ partition, find = "", is = "" }, setSearch] = useSearchState();
  const [chosen, setChosen] = useState<readonly [number, number]>();
  const node = answer.data?.assetNodeOrError;
  const found = node?.__typename === "AssetNode" ? node : undefined;
  const rows = useMemo(() => {
    const keys = found?.partitionKeyConnection.partitionKeys ?? [];
    const [first, last] = chosen && chosen[1] > chosen[0] ? chosen : [0, keys.length - 1];
    const listed: { key: string; status: PartitionStatus }[] = [];
    for (let index = last; index >= first && listed.length < LISTED; index--) {
      const status = statusAt(found?.partitionRanges ?? [], index);
      if (keys[index]!.includes(find) && (is === "" || is === status)) listed.push({ key: keys[index]!, status });
    }
    return listed;
  }, [found, chosen, find, is]);
  if (answer.error)
    return (
      <Failure error={answer.error} title="The partitions could not be read." onRetry={() => void answer.refetch()} />
    );
  if (!found) return <Skeleton rows={8} />;
  const { partitionKeys: keys, hasMore } = found.partitionKeyConnection;
  if (keys.length === 0) {
    return (
      <Empty title="No partitions yet">
        The first partition is listed when its time window has ended, or when a key is added.
      </Empty>
    );
  }
  const counts = countStatuses(found.partitionRanges, keys.length);
  const stretch = chosen ? keys.slice(chosen[0], chosen[1] + 1) : [];
  return (
    <div className={css.partitions}>
      <div className={css.bar}>
        <div className={css.counts}>
          {STATUSES.map((status) => (
            <button
              key={status}
              type="button"
              className={css.count}
              aria-pressed={is === status}
              onClick={() => setSearch({ is: is === status ? "" : status })}
            >
              <StatusTag
                bare
                status={status}
                label={`${counts[status].toLocaleString("en")} ${{ MATERIALIZED: "materialized", FAILED: "failed", MATERIALIZING: "materializing", MISSING: "missing" }[status]}`}
              />
            </button>
          ))}
          <span className={css.grow} />
          {stretch.length > 0 ? (
            <>
              <span className={css.quiet}>
                {stretch.length === 1 ? stretch[0] : `${stretch[0]} to ${stretch.at(-1)}, ${stretch.length} partitions`}
              </span>
              <Button variant="quiet" onPress={() => setChosen(undefined)}>
                Clear
              </Button>
              {asset.isMaterializable ? (
                <Button icon="play" onPress={() => onMaterialize(stretch)}>
                  Materialize chosen
                </Button>
              ) : null}
            </>
          ) : null}
        </div>
        <PartitionBar
          label="Partitions"
          total={keys.length}
          ranges={found.partitionRanges}
          keyOf={(index) => keys[index] ?? ""}
          chosen={chosen}
          onChoose={(next) => {
            setChosen(next);
            if (next && next[0] === next[1]) setSearch({ partition: keys[next[0]] });
          }}
        />
        {hasMore ? (
          <p className={css.quiet}>Only the first {keys.length.toLocaleString("en")} partitions are shown.</p>
        ) : null}
      </div>
      <div className={css.columns}>
        <div className={css.listing}>
          <div className={css.finder}>
            <TextInput
              label="Find a partition"
              hideLabel
              icon="search"
              placeholder="Find a partition"
              value={find}
              onChange={(value) => setSearch({ find: value })}
            />
            <SelectInput
              label="Status"
              hideLabel
              value={is}
              onChange={(value) => setSearch({ is: value })}
              options={[
                { value: "", label: "Any status" },
                ...STATUSES.map((status) => ({
                  value: status,
                  label: status.charAt(0) + status.slice(1).toLowerCase(),
                })),
              ]}
            />
          </div>
          <Table
            label="Partitions"
            columns={[
              { id: "key", label: "Partition", render: (row) => row.key },
              { id: "status", label: "Status", width: "45%", render: (row) => <StatusTag bare status={row.status} /> },
            ]}
            rows={rows}
            rowKey={(row) => row.key}
            onRow={(row) => setSearch({ partition: row.key })}
          />
          {rows.length === LISTED ? (
            <p className={css.note}>The latest {LISTED} are listed; search to see others.</p>
          ) : null}
          {rows.length === 0 ? <Empty title="No partition fits" /> : null}
        </div>
        <div className={css.detail}>
          {partition ? (
            <Detail
              path={asset.assetKey.path}
              partition={partition}
              onMaterialize={asset.isMaterializable ? () => onMaterialize([partition]) : undefined}
            />
          ) : (
            <Empty title="Choose a partition">Its latest materialization is shown here.</Empty>
          )}
        </div>
      </div>
    </div>
  );
}

interface DetailProps {
  path: readonly string[];
  partition: string;
  onMaterialize: (() => void) | undefined;
}

function Detail({ path, partition, onMaterialize }: DetailProps) {
  const answer = useData(ASSET_PARTITION_DETAIL, { key: { path: [...path] }, partition }, { live: ["assets"] });
  const node = answer.data?.assetNodeOrError;
  const found = node?.__typename === "AssetNode" && !answer.isPlaceholderData ? node.partition : undefined;
  const latest = found?.latestMaterialization;
  return (
    <section className={css.one} aria-label={`Partition ${partition}`}>
      <header className={css.oneHead}>
        <h3>{partition}</h3>
        {found === undefined ? null : <StatusTag status={found?.status ?? "MISSING"} />}
        <span className={css.grow} />
        {onMaterialize ? (
          <Button icon="play" onPress={onMaterialize}>
            Materialize
          </Button>
        ) : null}
      </header>
      {answer.error ? <Failure error={answer.error} /> : null}
      {found?.runId ? (
        <p className={css.quiet}>
          <Link to={links.run(found.runId)}>run {shortId(found.runId)}</Link>
          {latest ? (
            <>
              {" · "}
              <Time at={Number(latest.timestamp) / 1000} />
            </>
          ) : null}
        </p>
      ) : null}
      {latest ? (
        <MetadataView entries={latest.metadataEntries} />
      ) : found === undefined ? (
        <Skeleton rows={4} />
      ) : (
        <p className={css.quiet}>It was never materialized.</p>
      )}
    </section>
  );
}
