/** The lineage: what is made from what, with the state of each; choose nodes to see and to materialize them. */
import { useDeferredValue, useEffect, useMemo, useState } from "react";

import { around, assetGraph } from "../../assets/assetGraph.model";
import type { AssetRow } from "../../assets/assetRows.model";
import { CatalogueFilters, useCatalogueFilter } from "../../assets/CatalogueFilters";
import { filterAssets, keyText } from "../../assets/catalogue.model";
import { useAssetRows } from "../../assets/useAssetRows";
import { useMaterialize } from "../../assets/useMaterialize";
import { GraphView } from "../../graph/GraphView";
import { useSteadyEdges } from "../../graph/useSteadyEdges";
import { Button } from "../../kit/Button";
import { Empty } from "../../kit/Empty";
import { Failure } from "../../kit/ErrorPanel";
import { Link } from "../../kit/Link";
import { Page } from "../../kit/Page";
import { Skeleton } from "../../kit/Skeleton";
import { SelectInput } from "../../kit/TextInput";
import { links } from "../../links";
import { useGo, useSearchState } from "../../services/navigation";
import { relativeTime } from "../../services/time.model";
import css from "./lineage.module.css";
import { LineagePanel } from "./LineagePanel";

const CLOCK_MS = 15_000;
const NONE: ReadonlySet<string> = new Set();
const NO_ROWS: readonly AssetRow[] = [];

export default function LineagePage() {
  const { rows: all, error, retry } = useAssetRows();
  const filter = useCatalogueFilter();
  const [{ focus, depth }, setSearch] = useSearchState();
  const [cameFor] = useState(focus);
  const [selected, setSelected] = useState<ReadonlySet<string>>(focus ? new Set([focus]) : NONE);
  const materialize = useMaterialize();
  const go = useGo();
  const clock = useSlowClock();
  const { q, status, group, kind, location } = useDeferredValue(filter);
  const shown = useMemo(() => {
    const near = focus && depth ? around(all ?? NO_ROWS, focus, Number(depth)) : (all ?? NO_ROWS);
    return filterAssets(near, { q, status, group, kind, location });
  }, [all, focus, depth, q, status, group, kind, location]);
  const graph = useMemo(() => assetGraph(shown, (seconds) => relativeTime(seconds, clock), all), [shown, clock, all]);
  const edges = useSteadyEdges(graph.edges);
  const chosen = shown.filter((asset) => selected.has(keyText(asset.assetKey.path)));
  const open = (id: string) => go(links.asset(id.split("/")));
  return (
    <Page
      title="Lineage"
      fill
      actions={
        <>
          <Link to={links.assets({ q: filter.q, group: filter.group })}>Show as list</Link>
          <Button
            variant="primary"
            icon="play"
            isDisabled={materialize.isBusy || shown.length === 0}
            onPress={() => materialize.start(chosen.length > 0 ? chosen : shown)}
          >
            {chosen.length > 0 ? `Materialize selected (${chosen.length})` : "Materialize all"}
          </Button>
        </>
      }
    >
      <div className={css.filters}>
        <CatalogueFilters assets={all ?? NO_ROWS} />
        {focus ? (
          <SelectInput
            label="How far to look"
            hideLabel
            value={depth ?? ""}
            onChange={(value) => setSearch({ depth: value })}
            options={[
              { value: "", label: "All assets" },
              ...[1, 2, 3, 5].map((far) => ({ value: String(far), label: `${far} away from ${focus}` })),
            ]}
          />
        ) : null}
      </div>
      {error ? (
        <Failure error={error} title="The assets could not be read." onRetry={retry} />
      ) : all === undefined ? (
        <Skeleton rows={8} height={40} />
      ) : graph.nodes.length === 0 ? (
        <Empty title={all.length ? "No asset fits" : "No assets yet"} icon="lineage">
          {all.length
            ? "Every asset is hidden by the search and choices above."
            : "Assets that your code defines are drawn here, with arrows from each to those that read it."}
        </Empty>
      ) : (
        <div className={css.split}>
          <GraphView
            label="Asset lineage"
            nodes={graph.nodes}
            edges={edges}
            selected={selected}
            onSelect={(ids) => {
              setSelected(ids);
              setSearch({
                focus: ids.size === 1 ? [...ids][0] : undefined,
                ...(ids.size === 1 ? {} : { depth: undefined }),
              });
            }}
            onOpen={open}
            {...(cameFor === undefined ? {} : { focus: cameFor })}
          />
          {selected.size > 0 ? (
            <LineagePanel
              assets={chosen}
              outside={[...selected].filter((id) => !chosen.some((asset) => keyText(asset.assetKey.path) === id))}
              onClose={() => {
                setSelected(NONE);
                setSearch({ focus: undefined, depth: undefined });
              }}
            />
          ) : null}
        </div>
      )}
      {materialize.dialog}
    </Page>
  );
}

/** The time, renewed every few seconds: ages on the canvas need no finer clock. */
function useSlowClock(): number {
  const [now, setNow] = useState(() => Date.now() / 1000);
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) setNow(Date.now() / 1000);
    }, CLOCK_MS);
    return () => clearInterval(timer);
  }, []);
  return now;
}
