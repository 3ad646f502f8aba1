/** What can be done with the selected rows of a list. It stays in sight while the list is scrolled. */
import type { ReactNode } from "react";

import css from "./BulkBar.module.css";
import { Button } from "./Button";

interface BulkBarProps {
  label: string;
  /** How many of what are selected, in words. */
  count: string;
  onClear: () => void;
  /** Buttons. */
  children: ReactNode;
}

export function BulkBar({ label, count, onClear, children }: BulkBarProps) {
  return (
    <div className={css.bulk} role="toolbar" aria-label={label}>
      <span className={css.count}>{count} selected</span>
      {children}
      <Button variant="quiet" onPress={onClear}>
        Clear
      </Button>
    </div>
  );
}
