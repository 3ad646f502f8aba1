/** The filter of the runs page: from the address to the API and back, and in words. Pure. */
import type { RunsFilter, RunStatus } from "./schema.gen";
import type { SearchState } from "./navigation";

export interface RunFilterState {
  statuses: RunStatus[];
  job: string;
  location: string;
  asset: string;
  /** "key:value" each. */
  tags: string[];
  /** Seconds back from now; 0: all time. */
  within: number;
}

const STATUSES: ReadonlySet<string> = new Set<RunStatus>([
  "QUEUED", "NOT_STARTED", "MANAGED", "STARTING", "STARTED", "SUSPENDED", "SUCCESS", "FAILURE", "CANCELING", "CANCELED",
]);

/** What the address says; parts that make no sense are left out. */
export function readFilter(search: SearchState): RunFilterState {
  return {
    statuses: list(search.status).filter((status): status is RunStatus => STATUSES.has(status)),
    job: search.job ?? "",
    location: search.location ?? "",
    asset: search.asset ?? "",
    tags: list(search.tag).filter((tag) => tag.indexOf(":") > 0),
    within: Math.max(0, Number(search.within ?? 0) || 0),
  };
}

function list(text: string | undefined): string[] {
  return (text ?? "").split(",").map((part) => part.trim()).filter((part) => part !== "");
}

/** The filter as the API takes it; `now` in seconds since the epoch. */
export function apiFilter(filter: RunFilterState, now: number): RunsFilter {
  return {
    ...(filter.statuses.length > 0 ? { statuses: filter.statuses } : {}),
    ...(filter.job === "" ? {} : { pipelineName: filter.job }),
    ...(filter.location === "" ? {} : { locationName: filter.location }),
    ...(filter.asset === "" ? {} : { assetKey: { path: filter.asset.split("/") } }),
    ...(filter.tags.length > 0 ? { tags: filter.tags.map(tagOf) } : {}),
    ...(filter.within > 0 ? { createdAfter: now - filter.within } : {}),
  };
}

function tagOf(text: string): { key: string; value: string } {
  const colon = text.indexOf(":");
  return { key: text.slice(0, colon), value: text.slice(colon + 1) };
}

export interface FilterPart {
  /** The part of the address it stands in. */
  name: "job" | "location" | "asset" | "tag" | "within";
  label: string;
  /** What the address's part becomes without it. */
  without: string;
}

/** Every part of the filter but the statuses, each with the way to be rid of it. */
export function filterParts(filter: RunFilterState): FilterPart[] {
  const parts: FilterPart[] = [];
  if (filter.job !== "") parts.push({ name: "job", label: `Job: ${filter.job}`, without: "" });
  if (filter.location !== "") parts.push({ name: "location", label: `Location: ${filter.location}`, without: "" });
  if (filter.asset !== "") parts.push({ name: "asset", label: `Asset: ${filter.asset}`, without: "" });
  for (const tag of filter.tags) {
    const others = filter.tags.filter((other) => other !== tag);
    parts.push({ name: "tag", label: `Tag: ${tag.replace(":", " = ")}`, without: others.join(",") });
  }
  return parts;
}

/**
 * What a reader typed into the filter field, as a change of the address: "job:x", "asset:a/b", "location:l",
 * "tag:k=v", a run id, or a plain word, which means a job.
 */
export function readTyped(text: string, filter: RunFilterState): { change: SearchState } | { runId: string } | null {
  const typed = text.trim();
  if (typed === "") return null;
  if (/^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(typed)) return { runId: typed };
  const [, name, value] = /^(job|asset|location|tag)\s*:\s*(.+)$/i.exec(typed) ?? [];
  if (name === undefined || value === undefined) return { change: { job: typed } };
  if (name.toLowerCase() !== "tag") return { change: { [name.toLowerCase()]: value.trim() } };
  const tag = value.trim().replace("=", ":");
  return tag.includes(":") ? { change: { tag: [...new Set([...filter.tags, tag])].join(",") } } : null;
}
