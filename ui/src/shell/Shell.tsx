/** What surrounds every page: navigation, palette, notes, the state of the connection. */
import { useQueryClient } from "@tanstack/react-query";
import { Outlet, useRouterState } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { RouterProvider as AriaRouterProvider } from "react-aria-components";

import { Toasts } from "../kit/toast";
import { links } from "../links";
import { bootstrap } from "../services/bootstrap";
import { useLive, useLiveState, useServerVersion } from "../services/live";
import { useGo } from "../services/navigation";
import { useShortcuts } from "../services/shortcuts";
import { Navigation } from "./Navigation";
import css from "./Shell.module.css";

const Palette = lazy(() => import("./Palette"));
const Help = lazy(() => import("./Help"));

export function Shell() {
  const go = useGo();
  const [opened, setOpened] = useState<"palette" | "help" | null>(null);
  const close = () => setOpened(null);
  const client = useQueryClient();
  useLive(["locations"], () => void client.invalidateQueries({ queryKey: ["Palette"] }));
  useShortcuts({
    "/": () => setOpened("palette"),
    "mod+k": () => setOpened("palette"),
    "?": () => setOpened("help"),
    "g h": () => go(links.overview()),
    "g r": () => go(links.runs()),
    "g b": () => go(links.backfills()),
    "g a": () => go(links.assets()),
    "g l": () => go(links.lineage()),
    "g j": () => go(links.jobs()),
    "g u": () => go(links.automation()),
    "g d": () => go(links.deployment()),
    "g s": () => go(links.settings()),
  });
  return (
    <AriaRouterProvider navigate={go}>
      <a className={css.skip} href="#main">
        Skip to the content
      </a>
      <div className={css.shell}>
        <Navigation onSearch={() => setOpened("palette")} onHelp={() => setOpened("help")} />
        <div className={css.column}>
          <Banner />
          <Main />
        </div>
      </div>
      <Toasts />
      <Suspense fallback={null}>
        {opened === "palette" ? <Palette onClose={close} /> : null}
        {opened === "help" ? <Help onClose={close} /> : null}
      </Suspense>
    </AriaRouterProvider>
  );
}

function Main() {
  const place = useRef<HTMLElement>(null);
  const path = useRouterState({ select: (state) => state.location.pathname });
  useEffect(() => {
    place.current?.scrollTo({ top: 0 });
  }, [path]);
  return (
    <main id="main" ref={place} className={css.main} tabIndex={-1}>
      <Outlet />
    </main>
  );
}

function Banner() {
  const state = useLiveState();
  const version = useServerVersion();
  if (state === "polling") {
    return (
      <p className={css.banner} role="status">
        No live updates reach this page: the server is away, or a proxy holds them back. Trying again every 15 seconds.
      </p>
    );
  }
  if (version !== null && bootstrap.version !== undefined && version !== bootstrap.version) {
    return (
      <p className={css.banner} role="status">
        The server now runs version {version}; this page is of {bootstrap.version}.{" "}
        <button type="button" className={css.reload} onClick={() => window.location.reload()}>
          Reload
        </button>
      </p>
    );
  }
  return null;
}
