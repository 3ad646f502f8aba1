/** The catalogue: every asset with its latest state; find, choose, materialize. */
import { useMemo, useState } from "react";

import type { AssetRow } from "../../assets/assetRows.model";
import { CatalogueFilters, useCatalogueFilter } from "../../assets/CatalogueFilters";
import { filterAssets, keyText } from "../../assets/catalogue.model";
import { useAssetRows } from "../../assets/useAssetRows";
import { useMaterialize } from "../../assets/useMaterialize";
import { Button } from "../../kit/Button";
import { Empty } from "../../kit/Empty";
import { Failure } from "../../kit/ErrorPanel";
import { Link } from "../../kit/Link";
import { Page } from "../../kit/Page";
import { Skeleton } from "../../kit/Skeleton";
import { Table } from "../../kit/Table";
import { links } from "../../links";
import { assetColumns } from "./columns";

const NONE: readonly AssetRow[] = [];

export default function AssetsPage() {
  const { rows, error, retry } = useAssetRows();
  const filter = useCatalogueFilter();
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const materialize = useMaterialize();
  const all = rows ?? NONE;
  const { q, status, group, kind, location } = filter;
  const shown = useMemo(
    () => filterAssets(all, { q, status, group, kind, location }),
    [all, q, status, group, kind, location],
  );
  const chosen = shown.filter((asset) => selected.has(keyText(asset.assetKey.path)));
  return (
    <Page
      title="Assets"
      under={rows ? <span>{all.length === 1 ? "1 asset" : `${all.length} assets`}</span> : undefined}
      actions={
        <>
          <Link to={links.lineage({ q, group })}>Show as lineage</Link>
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
      <CatalogueFilters assets={all} />
      {error ? (
        <Failure error={error} title="The assets could not be read." onRetry={retry} />
      ) : rows === undefined ? (
        <Skeleton rows={10} />
      ) : all.length === 0 ? (
        <Empty title="No assets yet" icon="assets">
          An asset is a table, file or model that a function of yours makes. Decorate one with <code>@asset</code>, add
          it to your <code>Definitions</code>, and it appears here.
        </Empty>
      ) : shown.length === 0 ? (
        <Empty title="No asset fits" icon="search">
          {all.length} assets are hidden by the search and choices above.
        </Empty>
      ) : (
        <Table
          label="Assets"
          columns={assetColumns}
          rows={shown}
          rowKey={(asset) => keyText(asset.assetKey.path)}
          rowLink={(asset) => links.asset(asset.assetKey.path)}
          selected={selected}
          onSelect={setSelected}
        />
      )}
      {materialize.dialog}
    </Page>
  );
}
