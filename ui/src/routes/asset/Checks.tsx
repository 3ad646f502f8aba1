/** The checks of an asset: the latest result of each, what it said, and how it went before. */
import { Button } from "../../kit/Button";
import { Failure } from "../../kit/ErrorPanel";
import { Chip } from "../../kit/Facts";
import { Link } from "../../kit/Link";
import { Skeleton } from "../../kit/Skeleton";
import { StatusTag } from "../../kit/StatusTag";
import { Table } from "../../kit/Table";
import { Time } from "../../kit/Time";
import { toast, toastError } from "../../kit/toast";
import { links } from "../../links";
import { Markdown } from "../../metadata/Markdown";
import { MetadataView } from "../../metadata/MetadataView";
import { ASSET_CHECK_HISTORY, type AssetCard, type AssetCheckState } from "../../services/assets";
import { useData } from "../../services/data";
import { launchRun } from "../../services/launch";
import { useSearchState } from "../../services/navigation";
import { shortId } from "../../services/run.model";
import css from "./asset.module.css";
import { checkStatus } from "./checks.model";

interface ChecksProps {
  asset: AssetCard;
  checks: readonly AssetCheckState[];
}

export function Checks({ asset, checks }: ChecksProps) {
  const [{ check }, setSearch] = useSearchState();
  const open = checks.find(({ name }) => name === check) ?? checks[0]!;
  return (
    <div className={css.columns}>
      <div className={css.listing}>
        <ul className={css.events} aria-label="Checks">
          {checks.map((each) => (
            <li key={each.name}>
              <button
                type="button"
                className={css.event}
                aria-current={each === open}
                onClick={() => setSearch({ check: each.name })}
              >
                <span>
                  {each.name} {each.blocking ? <Chip title="What reads the asset waits for it">blocking</Chip> : null}
                </span>
                <StatusTag bare status={checkStatus(each.latestExecution)} />
              </button>
            </li>
          ))}
        </ul>
      </div>
      <div className={css.detail}>
        <Check key={open.name} asset={asset} check={open} />
      </div>
    </div>
  );
}

function Check({ asset, check }: { asset: AssetCard; check: AssetCheckState }) {
  const path = [...asset.assetKey.path];
  const history = useData(ASSET_CHECK_HISTORY, { key: { path }, check: check.name }, { live: ["assets"] });
  const latest = check.latestExecution;
  const run = async () => {
    try {
      const selector = {
        repositoryLocationName: asset.repository.location.name,
        assetSelection: [],
        assetCheckSelection: [{ assetKey: { path }, name: check.name }],
      };
      const [runId] = (await launchRun({ selector })).runIds;
      if (runId !== undefined)
        toast({ text: `Run ${shortId(runId)} checks it.`, link: { to: links.run(runId), label: "Follow it" } });
    } catch (error) {
      toastError(error);
    }
  };
  return (
    <section className={css.one} aria-label={check.name}>
      <header className={css.oneHead}>
        <h3>{check.name}</h3>
        <StatusTag status={checkStatus(latest)} />
        <span className={css.grow} />
        <Button icon="play" onPress={() => void run()}>
          Run check
        </Button>
      </header>
      {check.description ? <Markdown source={check.description} /> : null}
      {latest?.stale ? (
        <p className={css.stale}>The asset was materialized anew since; this result is of an older one.</p>
      ) : null}
      {latest?.evaluation?.description ? <p className={css.words}>{latest.evaluation.description}</p> : null}
      {latest?.evaluation && latest.evaluation.metadataEntries.length > 0 ? (
        <MetadataView entries={latest.evaluation.metadataEntries} />
      ) : null}
      {latest ? null : <p className={css.quiet}>It was never evaluated.</p>}
      {history.error ? <Failure error={history.error} title="Earlier results could not be read." /> : null}
      {history.isPending ? <Skeleton rows={3} /> : null}
      {history.data && history.data.assetCheckExecutions.length > 0 ? (
        <div className={css.bleed}>
          <Table
            label="Results"
            columns={[
              {
                id: "status",
                label: "Result",
                width: "150px",
                render: (row) => <StatusTag bare status={checkStatus(row)} />,
              },
              { id: "time", label: "When", width: "150px", render: (row) => <Time at={row.timestamp} /> },
              { id: "words", label: "What it said", render: (row) => row.evaluation?.description ?? "" },
              {
                id: "run",
                label: "Run",
                width: "110px",
                render: (row) =>
                  row.runId === null ? "" : <Link to={links.run(row.runId)}>{shortId(row.runId)}</Link>,
              },
            ]}
            rows={history.data.assetCheckExecutions}
            rowKey={(row) => row.id}
          />
        </div>
      ) : null}
    </section>
  );
}
