/** Names and values, one below the other; chips for tags. */
import { type ReactNode } from "react";

import css from "./Facts.module.css";

interface FactsProps {
  /** Pairs whose value is null or undefined are left out. */
  facts: readonly (readonly [name: string, value: ReactNode])[];
}

export function Facts({ facts }: FactsProps) {
  return (
    <dl className={css.facts}>
      {facts.map(([name, value]) =>
        value === null || value === undefined ? null : (
          <div key={name} className={css.fact}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ),
      )}
    </dl>
  );
}

interface ChipProps {
  children: ReactNode;
  title?: string;
}

/** A small quiet label: a tag, a kind, a group. */
export function Chip({ children, title }: ChipProps) {
  return (
    <span className={css.chip} title={title}>
      {children}
    </span>
  );
}
