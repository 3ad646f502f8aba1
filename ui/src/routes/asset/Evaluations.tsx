/** What the asset's automation condition came to, evaluation by evaluation, and why: part by part. */
import { useState } from "react";

import { Button } from "../../kit/Button";
import { Empty } from "../../kit/Empty";
import { Failure } from "../../kit/ErrorPanel";
import { Link } from "../../kit/Link";
import { Skeleton } from "../../kit/Skeleton";
import { StatusTag } from "../../kit/StatusTag";
import { type Column, Table } from "../../kit/Table";
import { Time } from "../../kit/Time";
import { links } from "../../links";
import { ASSET_EVALUATIONS } from "../../services/assets";
import { useData } from "../../services/data";
import { useSearchState } from "../../services/navigation";
import { shortId } from "../../services/run.model";
import type { AssetEvaluationsQuery } from "../../services/schema.gen";
import css from "./asset.module.css";
import { type PartRow, partRows, requestWords } from "./evaluation.model";
import { reasonOf } from "./reason.model";

type Records = Extract<
  AssetEvaluationsQuery["assetConditionEvaluationRecordsOrError"],
  { __typename: "AssetConditionEvaluationRecords" }
>["records"];

const PAGE = 50;
const ANSWERS = { true: "TRUE", false: "FALSE", "not asked": "NOT_ASKED" } as const;

export function Evaluations({ path }: { path: readonly string[] }) {
  const [limit, setLimit] = useState(PAGE);
  const [{ evaluation }, setSearch] = useSearchState();
  const answer = useData(ASSET_EVALUATIONS, { key: { path: [...path] }, limit }, { live: ["ticks"] });
  const found = answer.data?.assetConditionEvaluationRecordsOrError;
  if (answer.error)
    return (
      <Failure error={answer.error} title="The evaluations could not be read." onRetry={() => void answer.refetch()} />
    );
  if (!found) return <Skeleton rows={10} />;
  const records = found.__typename === "AssetConditionEvaluationRecords" ? found.records : [];
  if (records.length === 0) {
    return (
      <Empty title="Not evaluated yet" icon="automation" action={<Link to={links.automation()}>All automation</Link>}>
        The sensor that evaluates the conditions of its code location must be on.
      </Empty>
    );
  }
  const open = records.find((each) => each.id === evaluation) ?? records[0]!;
  return (
    <div className={css.columns}>
      <div className={css.listing}>
        <ul className={css.events} aria-label="Evaluations">
          {records.map((each) => (
            <li key={each.id}>
              <button
                type="button"
                className={css.event}
                aria-current={each === open}
                onClick={() => setSearch({ evaluation: each.id })}
              >
                <Time precise at={each.timestamp} />
                <span className={each.numRequested > 0 ? undefined : css.quiet}>
                  {requestWords(each.numRequested, each.evaluationNodes[0]?.isPartitioned ?? false)}
                </span>
              </button>
            </li>
          ))}
        </ul>
        {records.length === limit ? (
          <p className={css.note}>
            <Button onPress={() => setLimit(limit + 4 * PAGE)}>Show older</Button>
          </p>
        ) : null}
      </div>
      <div className={css.detail}>
        <Evaluation record={open} />
      </div>
    </div>
  );
}

const COLUMNS: readonly Column<PartRow>[] = [
  {
    id: "part",
    label: "Part",
    render: (row) => (
      <span style={{ paddingLeft: row.depth * 16 }} title={`${row.name}: ${row.meaning}`}>
        {row.name}
        {row.of === null ? null : <> of {row.of}</>}
        <span className={css.meaning}>{row.meaning}</span>
      </span>
    ),
  },
  { id: "answer", label: "Is", width: "110px", render: (row) => <StatusTag bare status={ANSWERS[row.answer]} /> },
];

const PARTITIONS: Column<PartRow> = {
  id: "detail",
  label: "Partitions",
  width: "28%",
  render: (row) => <span title={row.detail}>{row.detail}</span>,
};

function Evaluation({ record }: { record: Records[number] }) {
  return (
    <section className={css.one} aria-label="The chosen evaluation">
      <header className={css.oneHead}>
        <h3>
          <Time precise at={record.timestamp} />
        </h3>
        <span className={css.grow} />
        {record.backfillId === null ? null : (
          <Link to={links.backfill(record.backfillId)}>backfill {shortId(record.backfillId)}</Link>
        )}
        {record.runIds.slice(0, 5).map((id) => (
          <Link key={id} to={links.run(id)}>
            run {shortId(id)}
          </Link>
        ))}
        {record.runIds.length > 5 ? <span className={css.quiet}>and {record.runIds.length - 5} more</span> : null}
      </header>
      <p className={css.reason}>{reasonOf(record.evaluationNodes)}</p>
      <div className={css.bleed}>
        <Table
          label="Parts of the condition"
          columns={record.evaluationNodes.some((part) => part.isPartitioned) ? [...COLUMNS, PARTITIONS] : COLUMNS}
          rows={partRows(record.evaluationNodes)}
          rowKey={(row) => row.id}
        />
      </div>
    </section>
  );
}
