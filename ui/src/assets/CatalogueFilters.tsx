/** Search and facets of assets, kept in the address: the same for the catalogue and the lineage. */
import { useMemo, useRef } from "react";

import { Button } from "../kit/Button";
import { statusLook } from "../kit/status.model";
import { SelectInput, TextInput } from "../kit/TextInput";
import type { AssetRow } from "./assetRows.model";
import { useSearchState } from "../services/navigation";
import { useShortcuts } from "../services/shortcuts";
import { type CatalogueFilter, type Facet, facetChoices } from "./catalogue.model";
import css from "./CatalogueFilters.module.css";

const LABELS: Readonly<Record<Facet, string>> = {
  status: "Any status",
  group: "Any group",
  kind: "Any kind",
  location: "Any location",
};

export function useCatalogueFilter(): CatalogueFilter {
  const [{ q, status, group, kind, location }] = useSearchState();
  return { q, status, group, kind, location };
}

export function CatalogueFilters({ assets }: { assets: readonly AssetRow[] }) {
  const [, setSearch] = useSearchState();
  const filter = useCatalogueFilter();
  const input = useRef<HTMLInputElement>(null);
  useShortcuts({ f: () => input.current?.focus() });
  const isFiltered = Object.values(filter).some(Boolean);
  const { q, status, group, kind, location } = filter;
  const facets = useMemo(() => {
    const chosen = { q, status, group, kind, location };
    return (Object.keys(LABELS) as Facet[]).map((facet) => ({ facet, choices: facetChoices(assets, chosen, facet) }));
  }, [assets, q, status, group, kind, location]);
  return (
    <div className={css.filters} role="search">
      <TextInput
        label="Find assets"
        hideLabel
        ref={input}
        icon="search"
        placeholder="Find assets"
        className={css.search ?? ""}
        value={filter.q ?? ""}
        onChange={(q) => setSearch({ q })}
        onKeyDown={(event) => {
          if (event.key === "Escape") event.currentTarget.blur();
        }}
      />
      {facets.map(({ facet, choices }) => {
        if (choices.length < 2 && !filter[facet]) return null;
        const word = (value: string) => (facet === "status" ? statusLook(value).label : value);
        return (
          <SelectInput
            key={facet}
            label={LABELS[facet]}
            hideLabel
            value={filter[facet] ?? ""}
            onChange={(value) => setSearch({ [facet]: value })}
            options={[
              { value: "", label: LABELS[facet] },
              ...choices.map(({ value, count }) => ({ value, label: `${word(value)} (${count})` })),
            ]}
          />
        );
      })}
      {isFiltered ? (
        <Button
          variant="quiet"
          onPress={() =>
            setSearch({ q: undefined, status: undefined, group: undefined, kind: undefined, location: undefined })
          }
        >
          Clear
        </Button>
      ) : null}
    </div>
  );
}
