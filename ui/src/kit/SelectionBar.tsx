/** What can be done with the selected rows of a table: it stays in sight above them. */
import type { ReactNode } from "react";

import { Button } from "./Button";
import css from "./SelectionBar.module.css";

interface SelectionBarProps {
  label: string;
  /** What is selected: "3 runs". */
  selected: string;
  onClear: () => void;
  /** The deeds. */
  children: ReactNode;
}

export function SelectionBar({ label, selected, onClear, children }: SelectionBarProps) {
  return (
    <div className={css.bar} role="toolbar" aria-label={label}>
      <span className={css.selected}>{selected} selected</span>
      {children}
      <Button variant="quiet" onPress={onClear}>
        Clear
      </Button>
    </div>
  );
}
