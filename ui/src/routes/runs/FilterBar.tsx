/** The field and chips that narrow the list of runs. */
import { useRef, useState } from "react";

import { Icon } from "../../kit/Icon";
import { SelectInput, TextInput } from "../../kit/TextInput";
import { links } from "../../links";
import { type SearchState, useGo } from "../../services/navigation";
import { filterParts, readTyped, type RunFilterState } from "../../services/runFilter.model";
import { useShortcuts } from "../../services/shortcuts";
import css from "./RunsPage.module.css";

const SPANS = [
  { value: "0", label: "Any time" },
  { value: "3600", label: "Last hour" },
  { value: "86400", label: "Last 24 hours" },
  { value: "604800", label: "Last 7 days" },
  { value: "2592000", label: "Last 30 days" },
];

interface FilterBarProps {
  filter: RunFilterState;
  onChange: (change: SearchState) => void;
}

export function FilterBar({ filter, onChange }: FilterBarProps) {
  const go = useGo();
  const field = useRef<HTMLInputElement>(null);
  const [text, setText] = useState("");
  useShortcuts({ f: () => field.current?.focus() });

  const take = () => {
    const meaning = readTyped(text, filter);
    if (meaning === null) return;
    setText("");
    if ("runId" in meaning) go(links.run(meaning.runId));
    else onChange(meaning.change);
  };
  return (
    <div className={css.bar}>
      <TextInput
        ref={field}
        className={css.field}
        label="Filter runs"
        hideLabel
        icon="filter"
        placeholder="job name, asset:key, tag:key=value, run id"
        value={text}
        onChange={setText}
        onKeyDown={(event) => {
          if (event.key === "Enter") take();
          if (event.key === "Escape") event.currentTarget.blur();
        }}
      />
      <SelectInput
        label="Created"
        hideLabel
        value={String(filter.within)}
        options={SPANS}
        onChange={(value) => onChange({ within: value === "0" ? "" : value })}
      />
      {filterParts(filter).map((part) => (
        <span key={part.label} className={css.part}>
          {part.label}
          <button type="button" aria-label={`Remove ${part.label}`} onClick={() => onChange({ [part.name]: part.without })}>
            <Icon name="close" size={11} />
          </button>
        </span>
      ))}
    </div>
  );
}
