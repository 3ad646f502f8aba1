/** The numbers of an asset's materializations, one chart each, over time or over partitions. */
import { useMemo, useState } from "react";

import { SelectInput } from "../kit/TextInput";
import type { NumbersFragment } from "../services/schema.gen";
import { LineChart } from "./LineChart";
import { byPartition, collectSeries } from "./numbers.model";
import css from "./Plots.module.css";

interface PlotsProps {
  events: readonly NumbersFragment[];
  isPartitioned: boolean;
}

export function Plots({ events, isPartitioned }: PlotsProps) {
  const [along, setAlong] = useState(isPartitioned ? "order" : "time");
  const found = useMemo(() => collectSeries(events.map((event) => ({ ...event, numbers: numbersOf(event) }))), [events]);
  const series = along === "order" ? found.map(byPartition).filter(({ points }) => points.length > 0) : found;
  if (found.length === 0) {
    return <p className={css.none}>A number that a materialization attaches as metadata, such as a row count, is drawn here over time.</p>;
  }
  return (
    <div className={css.plots}>
      {isPartitioned ? (
        <SelectInput
          label="Along"
          value={along}
          onChange={setAlong}
          options={[
            { value: "order", label: "Partitions" },
            { value: "time", label: "Time of materialization" },
          ]}
          className={css.choice ?? ""}
        />
      ) : null}
      <div className={css.grid}>
        {series.map((each) => (
          <LineChart key={each.label} series={each} along={along === "order" ? "order" : "time"} />
        ))}
      </div>
    </div>
  );
}

function numbersOf({ metadataEntries }: NumbersFragment): { label: string; value: number }[] {
  return metadataEntries.flatMap((entry) => {
    if (entry.__typename === "IntMetadataEntry")
      return [{ label: entry.label, value: entry.intValue ?? Number(entry.intRepr) }];
    if (entry.__typename === "FloatMetadataEntry" && entry.floatValue !== null) {
      return [{ label: entry.label, value: entry.floatValue }];
    }
    return [];
  });
}
