/** The bar at the left: where one can go, search, and the state of the connection. */
import { useRouterState } from "@tanstack/react-router";

import { IconButton } from "../kit/Button";
import { cx } from "../kit/cx";
import { Icon, type IconName } from "../kit/Icon";
import { Link } from "../kit/Link";
import { links } from "../links";
import { basePath } from "../services/bootstrap";
import { type LiveState, useLiveState } from "../services/live";
import { setPreferences, usePreferences } from "../services/preferences";
import css from "./Navigation.module.css";

interface Place {
  label: string;
  icon: IconName;
  to: string;
  /** Paths that belong to it. */
  within: RegExp;
}

const PLACES: readonly Place[] = [
  { label: "Overview", icon: "overview", to: links.overview(), within: /^\/$/ },
  { label: "Runs", icon: "runs", to: links.runs(), within: /^\/runs/ },
  { label: "Backfills", icon: "backfills", to: links.backfills(), within: /^\/backfills/ },
  { label: "Assets", icon: "assets", to: links.assets(), within: /^\/assets/ },
  { label: "Lineage", icon: "lineage", to: links.lineage(), within: /^\/lineage/ },
  { label: "Jobs", icon: "jobs", to: links.jobs(), within: /^\/jobs|^\/locations\/[^/]+\/jobs/ },
  {
    label: "Automation",
    icon: "automation",
    to: links.automation(),
    within: /^\/automation|^\/locations\/[^/]+\/(schedules|sensors)/,
  },
  { label: "Deployment", icon: "deployment", to: links.deployment(), within: /^\/deployment/ },
];

const CONNECTION: Record<LiveState, string> = {
  connecting: "Connecting",
  live: "Live",
  retrying: "Reconnecting",
  polling: "No live updates",
};

interface NavigationProps {
  onSearch: () => void;
  onHelp: () => void;
}

export function Navigation({ onSearch, onHelp }: NavigationProps) {
  const pathname = useRouterState({ select: (state) => state.location.pathname });
  const path = pathname.startsWith(basePath) ? `/${pathname.slice(basePath.length)}` : pathname;
  const folded = usePreferences().navigation === "folded";
  const live = useLiveState();
  return (
    <nav className={cx(css.navigation, folded && css.folded)} aria-label="Main">
      <div className={css.top}>
        <Link bare to={links.overview()} className={css.brand} aria-label="Penstock">
          <Mark />
          <span className={css.word}>Penstock</span>
        </Link>
      </div>
      <button type="button" className={css.search} onClick={onSearch} aria-label="Search">
        <Icon name="search" size={14} />
        <span className={css.word}>Search</span>
        <kbd className={css.key}>/</kbd>
      </button>
      <ul className={css.places}>
        {PLACES.map((place) => (
          <li key={place.label}>
            <Link
              bare
              to={place.to}
              className={css.place}
              aria-label={place.label}
              title={folded ? place.label : undefined}
              aria-current={place.within.test(path) ? "page" : undefined}
            >
              <Icon name={place.icon} />
              <span className={css.word}>{place.label}</span>
            </Link>
          </li>
        ))}
      </ul>
      <div className={css.foot}>
        <span className={cx(css.live, css[live])} role="status" title={`Updates of this page: ${CONNECTION[live]}`}>
          <span className={css.dot} />
          <span className={css.word}>{CONNECTION[live]}</span>
        </span>
        <IconButton icon="help" label="Keys and help" onPress={onHelp} />
        <Link bare to={links.settings()} className={css.gear} aria-label="Settings" title="Settings">
          <Icon name="settings" size={15} />
        </Link>
        <IconButton
          icon="sidebar"
          label={folded ? "Unfold the navigation" : "Fold the navigation"}
          onPress={() => setPreferences({ navigation: folded ? "open" : "folded" })}
        />
      </div>
    </nav>
  );
}

function Mark() {
  return (
    <svg width="22" height="22" viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" className={css.markField} />
      <path d="M7 8.5h8.5a6 6 0 0 1 6 6V17" className={css.markPipe} />
      <path d="M7 15.5h4.5a3 3 0 0 1 3 3V25" className={css.markPipeThin} />
      <path d="M21.5 20c1.8 2.3 2.8 3.7 2.8 4.8a2.8 2.8 0 0 1-5.6 0c0-1.1 1-2.5 2.8-4.8z" className={css.markDrop} />
    </svg>
  );
}
