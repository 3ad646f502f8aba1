/** All partitions of an asset: a bar to look at and to choose from, a list to find one in, and one in full. */
import { useMemo, useState } from "react";

import { PartitionPicker } from "../../partitions/PartitionPicker";
import { useAssetPartitions } from "../../assets/useAssetPartitions";
import { Button } from "../../kit/Button";
import { Empty } from "../../kit/Empty";
import { Failure } from "../../kit/ErrorPanel";
import { Link } from "../../kit/Link";
import { countStatuses, type PartitionStatus, statusAt } from "../../partitions/partitionBar.model";
import { boxAt, type Box, endsOf, isInside, sizeOf } from "../../partitions/partitionGrid.model";
import { Skeleton } from "../../kit/Skeleton";
import { StatusTag } from "../../kit/StatusTag";
import { Table } from "../../kit/Table";
import { SelectInput, TextInput } from "../../kit/TextInput";
import { Time } from "../../kit/Time";
import { links } from "../../links";
import { MetadataView } from "../../metadata/MetadataView";
import { ASSET_PARTITION_DETAIL, type AssetCard } from "../../services/assets";
import { useData } from "../../services/data";
import { useSearchState } from "../../services/navigation";
import { shortId } from "../../services/run.model";
import css from "./asset.module.css";

interface PartitionsProps {
  asset: AssetCard;
  onMaterialize: (chosen: Box) => void;
}

const STATUSES: readonly PartitionStatus[] = ["MATERIALIZED", "FAILED", "MATERIALIZING", "MISSING"];
/** A list for people: more than this is searched, not scrolled. */
const LISTED = 500;

export function Partitions({ asset, onMaterialize }: PartitionsProps) {
  const { found, error, refetch } = useAssetPartitions(asset);
  const [{ partition, find = "", is = "" }, setSearch] = useSearchState();
  const [chosen, setChosen] = useState<Box>();
  const rows = useMemo(() => {
    if (found === undefined || found.dimensions.length === 0) return [];
    const { total, ranges, dimensions, keyOf } = found;
    const within = chosen && sizeOf(chosen) > 1 ? chosen : undefined;
    const listed: { key: string; status: PartitionStatus }[] = [];
    for (let index = total - 1; index >= 0 && listed.length < LISTED; index--) {
      const status = statusAt(ranges, index);
      if ((is !== "" && is !== status) || (within && !isInside(dimensions, within, index))) continue;
      const key = keyOf(index);
      if (key !== "" && key.includes(find)) listed.push({ key, status });
    }
    return listed;
  }, [found, chosen, find, is]);
  if (error) return <Failure error={error} title="The partitions could not be read." onRetry={refetch} />;
  if (!found) return <Skeleton rows={8} />;
  const { total, ranges, dimensions, indexOf } = found;
  const hasKeys = dimensions.length > 0;
  if (total === 0) {
    return (
      <Empty title="No partitions yet">
        The first partition is listed when its time window has ended, or when a key is added.
      </Empty>
    );
  }
  const counts = countStatuses(ranges, total);
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
          {chosen ? (
            <>
              <span className={css.quiet}>{chosenText(endsOf(dimensions, chosen), sizeOf(chosen))}</span>
              <Button variant="quiet" onPress={() => setChosen(undefined)}>
                Clear
              </Button>
              {asset.isMaterializable ? (
                <Button icon="play" onPress={() => onMaterialize(chosen)}>
                  Materialize chosen
                </Button>
              ) : null}
            </>
          ) : null}
        </div>
        <PartitionPicker
          label="Partitions"
          partitions={found}
          chosen={chosen}
          onChoose={(next) => {
            setChosen(next);
            if (next && sizeOf(next) === 1) setSearch({ partition: endsOf(dimensions, next)[0] });
          }}
        />
        {dimensions.length === 1 && dimensions[0]!.keys.length < total ? (
          <p className={css.quiet}>Only the first {dimensions[0]!.keys.length.toLocaleString("en")} partitions are listed by name.</p>
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
          {hasKeys ? null : <Skeleton rows={8} />}
          {hasKeys && rows.length === 0 ? <Empty title="No partition fits" /> : null}
        </div>
        <div className={css.detail}>
          {partition ? (
            <Detail
              path={asset.assetKey.path}
              partition={partition}
              onMaterialize={
                asset.isMaterializable && indexOf(partition) >= 0
                  ? () => onMaterialize(boxAt(dimensions, indexOf(partition)))
                  : undefined
              }
            />
          ) : (
            <Empty title="Choose a partition">Its latest materialization is shown here.</Empty>
          )}
        </div>
      </div>
    </div>
  );
}

function chosenText([first, last]: readonly [string, string], size: number): string {
  return size === 1 ? first : `${first} to ${last}, ${size.toLocaleString("en")} partitions`;
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
