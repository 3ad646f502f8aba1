/** Names and values, one below the other; chips for tags. */
import { type ReactNode } from "react";

import { Breakable } from "./Breakable";
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
            <dd>{typeof value === "string" ? <Breakable text={value} /> : value}</dd>
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

/** A small quiet label: a tag, a kind, a group. What has no room is told on hover. */
export function Chip({ children, title }: ChipProps) {
  return (
    <span className={css.chip} title={title ?? plainText(children)}>
      {children}
    </span>
  );
}

function plainText(children: ReactNode): string | undefined {
  if (Array.isArray(children)) return children.map((child: ReactNode) => plainText(child) ?? "").join("");
  return typeof children === "string" || typeof children === "number" ? String(children) : undefined;
}
