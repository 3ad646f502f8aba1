/** The asset among its neighbours, two steps each way. */
import { useMemo, useState } from "react";

import { around, assetGraph } from "../../assets/assetGraph.model";
import { keyText } from "../../assets/catalogue.model";
import { useAssetRows } from "../../assets/useAssetRows";
import { GraphView } from "../../graph/GraphView";
import { useSteadyEdges } from "../../graph/useSteadyEdges";
import { Failure } from "../../kit/ErrorPanel";
import { Skeleton } from "../../kit/Skeleton";
import { links } from "../../links";
import { useGo } from "../../services/navigation";
import { relativeTime } from "../../services/time.model";

const DEPTH = 2;

export function LineagePeek({ path }: { path: readonly string[] }) {
  const { rows, error } = useAssetRows();
  const key = keyText(path);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set([key]));
  const go = useGo();
  const graph = useMemo(() => {
    const now = Date.now() / 1000;
    const all = rows ?? [];
    return assetGraph(around(all, key, DEPTH), (seconds) => relativeTime(seconds, now), all);
  }, [rows, key]);
  const edges = useSteadyEdges(graph.edges);
  if (error) return <Failure error={error} title="The lineage could not be read." />;
  if (rows === undefined) return <Skeleton rows={6} height={40} />;
  return (
    <GraphView
      label={`Lineage of ${key}`}
      nodes={graph.nodes}
      edges={edges}
      selected={selected}
      onSelect={setSelected}
      onOpen={(id) => go(links.asset(id.split("/")))}
    />
  );
}
