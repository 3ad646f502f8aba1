/** Which page answers which address. Each page is a chunk of its own. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from "@tanstack/react-router";

import { basePath } from "./services/bootstrap";
import { NotFound } from "./shell/NotFound";
import { PageFailed } from "./shell/PageFailed";
import { PagePending } from "./shell/PagePending";
import { Shell } from "./shell/Shell";

type Page = Parameters<typeof lazyRouteComponent>[0];

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound });

const page = (path: string, load: Page) =>
  createRoute({ getParentRoute: () => root, path, component: lazyRouteComponent(load) });

/** The rest of an address after "/assets" is a key; nothing after it is the catalogue. */
const assets = createRoute({ getParentRoute: () => root, path: "/assets" });
const asset = (path: string, load: Page) =>
  createRoute({ getParentRoute: () => assets, path, component: lazyRouteComponent(load) });

const routeTree = root.addChildren([
  page("/", () => import("./routes/overview")),
  page("/runs", () => import("./routes/runs")),
  page("/runs/$runId", () => import("./routes/run")),
  page("/backfills", () => import("./routes/backfills")),
  page("/backfills/$backfillId", () => import("./routes/backfill")),
  assets.addChildren([asset("/", () => import("./routes/assets")), asset("$", () => import("./routes/asset"))]),
  page("/lineage", () => import("./routes/lineage")),
  page("/jobs", () => import("./routes/jobs")),
  page("/locations/$location/jobs/$job", () => import("./routes/job")),
  page("/automation", () => import("./routes/automation")),
  page("/locations/$location/schedules/$schedule", () => import("./routes/schedule")),
  page("/locations/$location/sensors/$sensor", () => import("./routes/sensor")),
  page("/deployment", () => import("./routes/deployment")),
  page("/settings", () => import("./routes/settings")),
]);

/** Our search parts are plain text values, so that addresses stay readable. */
function parseSearch(search: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(search));
}

function stringifySearch(search: Record<string, unknown>): string {
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    if (value !== undefined && value !== "") parts.set(name, String(value));
  }
  const text = parts.toString().replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%2F", "/");
  return text === "" ? "" : `?${text}`;
}

export const router = createRouter({
  routeTree,
  basepath: basePath,
  parseSearch,
  stringifySearch,
  scrollRestoration: true,
  defaultPreload: false,
  defaultPendingMs: 100,
  defaultPendingComponent: PagePending,
  defaultErrorComponent: PageFailed,
});
