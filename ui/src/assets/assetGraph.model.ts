/** Assets as a graph: nodes with their latest state, edges from what is read to who reads it. Pure. */
import type { Edge } from "../graph/layers.model";
import type { GraphNode } from "../graph/node.model";
import type { AssetRow } from "./assetRows.model";
import { keyText } from "./catalogue.model";
import { checkTrouble } from "./checks.model";

export interface AssetGraph {
  readonly nodes: GraphNode[];
  readonly edges: Edge[];
}

/**
 * The graph of the assets given, and of what they read that no code location defines.
 *
 * Args:
 *   age: Words for how long ago an instant was.
 *   all: Every asset that is defined: one of these that is not among the assets given is left out, since it is only
 *     out of sight, not from elsewhere.
 */
export function assetGraph(
  assets: readonly AssetRow[],
  age: (seconds: number) => string,
  all: readonly AssetRow[] = assets,
): AssetGraph {
  const places = new Map<string, number>();
  const nodes: GraphNode[] = [];
  const add = (node: GraphNode) => {
    places.set(node.id, nodes.length);
    nodes.push(node);
  };
  for (const asset of assets) add(assetNode(asset, age));
  const defined = new Set(all.map((asset) => keyText(asset.assetKey.path)));
  const edges: Edge[] = [];
  for (const asset of assets) {
    const reader = places.get(keyText(asset.assetKey.path))!;
    for (const { path } of asset.dependencyKeys) {
      const id = keyText(path);
      if (!places.has(id)) {
        if (defined.has(id)) continue;
        add({ id, label: id, status: "EXTERNAL", outside: true });
      }
      edges.push([places.get(id)!, reader]);
    }
  }
  return { nodes, edges };
}

function assetNode(asset: AssetRow, age: (seconds: number) => string): GraphNode {
  const id = keyText(asset.assetKey.path);
  const info = asset.latestInfo;
  const stats = info.partitionStats;
  const trouble = checkTrouble(info);
  const materialized = info.latestMaterializationTimestamp;
  return {
    id,
    label: id,
    status: trouble !== null && info.status === "MATERIALIZED" ? trouble.status : info.status,
    note:
      trouble?.text ??
      (stats && info.status === "MATERIALIZED" ? `${stats.numMaterialized} of ${stats.numPartitions}` : undefined),
    detail: materialized === null ? undefined : age(materialized),
    badge: asset.kinds[0],
    progress: stats && stats.numPartitions > 0 ? stats.numMaterialized / stats.numPartitions : undefined,
    outside: !asset.isExecutable,
  };
}

/** The assets up to some edges away from one, in both directions. */
export function around(assets: readonly AssetRow[], key: string, depth: number): AssetRow[] {
  const byKey = new Map(assets.map((asset) => [keyText(asset.assetKey.path), asset]));
  const readers = new Map<string, string[]>();
  for (const asset of assets) {
    for (const { path } of asset.dependencyKeys) {
      const upstream = keyText(path);
      readers.set(upstream, [...(readers.get(upstream) ?? []), keyText(asset.assetKey.path)]);
    }
  }
  const reads = (id: string) => byKey.get(id)?.dependencyKeys.map(({ path }) => keyText(path)) ?? [];
  const found = new Set([key]);
  for (const next of [reads, (id: string) => readers.get(id) ?? []]) {
    let edge = [key];
    for (let far = 0; far < depth; far++) {
      edge = edge.flatMap(next).filter((id) => byKey.has(id));
      for (const id of edge) found.add(id);
    }
  }
  return assets.filter((asset) => found.has(keyText(asset.assetKey.path)));
}
