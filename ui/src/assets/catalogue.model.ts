/** Finds assets by what a reader types and chooses, and counts what could be chosen. Pure. */
import type { AssetRow } from "./assetRows.model";

/** An asset key as one text: its parts joined by slashes. */
export function keyText(path: readonly string[]): string {
  return path.join("/");
}

export interface CatalogueFilter {
  /** Words that the key, the description, the kinds or the owners must have, each of them. */
  readonly q?: string | undefined;
  readonly status?: string | undefined;
  readonly group?: string | undefined;
  readonly kind?: string | undefined;
  readonly location?: string | undefined;
}

/** The facets and how an asset answers each. */
export const FACETS = {
  status: (asset: AssetRow): readonly string[] => [asset.latestInfo.status],
  group: (asset: AssetRow): readonly string[] => [asset.groupName],
  kind: (asset: AssetRow): readonly string[] => asset.kinds,
  location: (asset: AssetRow): readonly string[] => [asset.repository.location.name],
} as const;

export type Facet = keyof typeof FACETS;

export function filterAssets(assets: readonly AssetRow[], filter: CatalogueFilter, except?: Facet): AssetRow[] {
  const words = (filter.q ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  return assets.filter((asset) => {
    for (const facet of Object.keys(FACETS) as Facet[]) {
      const wanted = filter[facet];
      if (facet !== except && wanted && !FACETS[facet](asset).includes(wanted)) return false;
    }
    if (words.length === 0) return true;
    const text = [keyText(asset.assetKey.path), asset.description ?? "", ...asset.kinds, ...asset.owners]
      .join("\n")
      .toLowerCase();
    return words.every((word) => text.includes(word));
  });
}

export interface Choice {
  readonly value: string;
  readonly count: number;
}

/** The values of a facet among the assets that all other choices leave, by name. */
export function facetChoices(assets: readonly AssetRow[], filter: CatalogueFilter, facet: Facet): Choice[] {
  const counts = new Map<string, number>();
  for (const asset of filterAssets(assets, filter, facet)) {
    for (const value of FACETS[facet](asset)) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const chosen = filter[facet];
  if (chosen && !counts.has(chosen)) counts.set(chosen, 0);
  return [...counts].map(([value, count]) => ({ value, count })).toSorted((a, b) => a.value.localeCompare(b.value));
}
