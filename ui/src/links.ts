/** Where every page is. The one place that knows the shape of our addresses. */

type Search = Record<string, string | number | boolean | readonly string[] | undefined | null>;

/** A path of ours, with its search part. */
export function withSearch(path: string, search: Search = {}): string {
  const parts = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    if (value === undefined || value === null || value === "") continue;
    if (Array.isArray(value)) {
      if (value.length > 0) parts.set(name, value.join(","));
    } else parts.set(name, String(value));
  }
  const text = parts.toString().replaceAll("%2C", ",").replaceAll("%3A", ":").replaceAll("%2F", "/");
  return text === "" ? path : `${path}?${text}`;
}

const part = encodeURIComponent;

export const links = {
  overview: (search?: Search) => withSearch("/", search),
  runs: (search?: Search) => withSearch("/runs", search),
  run: (runId: string, search?: Search) => withSearch(`/runs/${part(runId)}`, search),
  backfills: (search?: Search) => withSearch("/backfills", search),
  backfill: (backfillId: string, search?: Search) => withSearch(`/backfills/${part(backfillId)}`, search),
  assets: (search?: Search) => withSearch("/assets", search),
  asset: (path: readonly string[], search?: Search) => withSearch(`/assets/${path.map(part).join("/")}`, search),
  lineage: (search?: Search) => withSearch("/lineage", search),
  jobs: (search?: Search) => withSearch("/jobs", search),
  job: (location: string, job: string, search?: Search) =>
    withSearch(`/locations/${part(location)}/jobs/${part(job)}`, search),
  automation: (search?: Search) => withSearch("/automation", search),
  schedule: (location: string, schedule: string, search?: Search) =>
    withSearch(`/locations/${part(location)}/schedules/${part(schedule)}`, search),
  sensor: (location: string, sensor: string, search?: Search) =>
    withSearch(`/locations/${part(location)}/sensors/${part(sensor)}`, search),
  deployment: (search?: Search) => withSearch("/deployment", search),
  settings: () => "/settings",
  /** The file of a captured stream, for download. Not a page: give it to a plain `<a>`. */
  capturedFile: (runId: string, fileKey: string, stream: "stdout" | "stderr") =>
    `logs/${part(runId)}/${part(fileKey)}/${stream}`,
} as const;
