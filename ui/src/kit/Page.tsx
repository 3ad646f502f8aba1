/** The frame of every page: breadcrumbs, title, deeds, content. Sets the window's title too. */
import { Fragment, type ReactNode, useEffect } from "react";

import { Breakable } from "./Breakable";
import { cx } from "./cx";
import { Link } from "./Link";
import css from "./Page.module.css";

export interface Crumb {
  label: string;
  to?: string;
}

interface PageProps {
  /** What the page shows: "Runs", or the name of the object. */
  title: string;
  /** Where it stands, outermost first. */
  crumbs?: readonly Crumb[];
  /** Beside the title: status and the like. */
  beside?: ReactNode;
  /** A line under the title. */
  under?: ReactNode;
  actions?: ReactNode;
  /** The content takes the height that is left and scrolls within itself. */
  fill?: boolean;
  children: ReactNode;
}

export function Page({ title, crumbs = [], beside, under, actions, fill = false, children }: PageProps) {
  useTitle(title, ...crumbs.map((crumb) => crumb.label).toReversed());
  return (
    <div className={cx(css.page, fill && css.fill)}>
      <header className={css.head}>
        <div className={css.titles}>
          <nav className={css.line} aria-label="Breadcrumbs">
            {crumbs.map((crumb) => (
              <Fragment key={crumb.label}>
                {crumb.to === undefined ? (
                  <span className={css.crumb}>{crumb.label}</span>
                ) : (
                  <Link bare to={crumb.to} className={css.crumb}>
                    {crumb.label}
                  </Link>
                )}
                <span className={css.slash} aria-hidden="true">
                  /
                </span>
              </Fragment>
            ))}
            <h1 className={css.title}>
              <Breakable text={title} />
            </h1>
            {beside}
          </nav>
          {under === undefined ? null : <div className={css.under}>{under}</div>}
        </div>
        {actions === undefined ? null : <div className={css.actions}>{actions}</div>}
      </header>
      <div className={css.body}>{children}</div>
    </div>
  );
}

/** "object – page – Penstock". */
export function useTitle(...parts: string[]): void {
  const title = [...parts, "Penstock"].join(" – ");
  useEffect(() => {
    document.title = title;
  }, [title]);
}

interface SectionProps {
  title?: ReactNode;
  actions?: ReactNode;
  children?: ReactNode;
}

/** A part of a page under its own heading. */
export function Section({ title, actions, children }: SectionProps) {
  return (
    <section className={css.section}>
      {title === undefined && actions === undefined ? null : (
        <header className={css.sectionHead}>
          <h2 className={css.sectionTitle}>{title}</h2>
          {actions}
        </header>
      )}
      {children}
    </section>
  );
}
