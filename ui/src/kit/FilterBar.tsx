/** The field and the chips that narrow a list, and what else stands beside them. */
import { type ReactNode, useRef, useState } from "react";

import { useShortcuts } from "../services/shortcuts";
import css from "./FilterBar.module.css";
import { Icon } from "./Icon";
import { TextInput } from "./TextInput";

interface FilterBarProps {
  label: string;
  placeholder: string;
  /** Takes what was typed; false where it means nothing, and stays in the field. */
  onTyped: (text: string) => boolean;
  /** Each condition that holds, with the way to be rid of it. */
  parts: readonly { readonly label: string; readonly remove: () => void }[];
  children?: ReactNode;
}

export function FilterBar({ label, placeholder, onTyped, parts, children }: FilterBarProps) {
  const field = useRef<HTMLInputElement>(null);
  const [text, setText] = useState("");
  useShortcuts({ f: () => field.current?.focus() });
  return (
    <div className={css.bar}>
      <TextInput
        ref={field}
        className={css.field}
        label={label}
        hideLabel
        icon="filter"
        placeholder={placeholder}
        value={text}
        onChange={setText}
        onKeyDown={(event) => {
          if (event.key === "Enter" && onTyped(text)) setText("");
          if (event.key === "Escape") event.currentTarget.blur();
        }}
      />
      {children}
      {parts.map((part) => (
        <span key={part.label} className={css.part}>
          {part.label}
          <button type="button" aria-label={`Remove ${part.label}`} onClick={part.remove}>
            <Icon name="close" size={11} />
          </button>
        </span>
      ))}
    </div>
  );
}
