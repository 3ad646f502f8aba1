/** Room for a table of many columns: on a narrow screen it scrolls sideways rather than losing its columns. */
import { type ReactNode } from "react";

import css from "./Wide.module.css";

export function Wide({ children }: { children: ReactNode }) {
  return <div className={css.wide}>{children}</div>;
}
