/** What narrows the list of runs. */
import { FilterBar } from "../../kit/FilterBar";
import { SelectInput } from "../../kit/TextInput";
import { links } from "../../links";
import { type SearchState, useGo } from "../../services/navigation";
import { filterParts, readTyped, type RunFilterState } from "../../services/runFilter.model";

const SPANS = [
  { value: "0", label: "Any time" },
  { value: "3600", label: "Last hour" },
  { value: "86400", label: "Last 24 hours" },
  { value: "604800", label: "Last 7 days" },
  { value: "2592000", label: "Last 30 days" },
];

interface RunFilterBarProps {
  filter: RunFilterState;
  onChange: (change: SearchState) => void;
}

export function RunFilterBar({ filter, onChange }: RunFilterBarProps) {
  const go = useGo();
  const take = (text: string) => {
    const meaning = readTyped(text, filter);
    if (meaning === null) return false;
    if ("runId" in meaning) go(links.run(meaning.runId));
    else onChange(meaning.change);
    return true;
  };
  return (
    <FilterBar
      label="Filter runs"
      placeholder="job name, asset:key, tag:key=value, run id"
      onTyped={take}
      parts={filterParts(filter).map(({ label, name, without }) => ({ label, remove: () => onChange({ [name]: without }) }))}
    >
      <SelectInput
        label="Created"
        hideLabel
        value={String(filter.within)}
        options={SPANS}
        onChange={(value) => onChange({ within: value === "0" ? "" : value })}
      />
    </FilterBar>
  );
}
