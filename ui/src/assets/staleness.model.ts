/** Whether an asset is up to date, in words. */
import { keyText } from "./catalogue.model";

interface Cause {
  key: { path: string[] };
  reason: string;
}

/** Null for what was never made, which is told elsewhere. A reason that lies in another asset begins with its name. */
export function staleText(status: "FRESH" | "STALE" | "MISSING", causes: readonly Cause[], own: readonly string[]): string | null {
  if (status === "MISSING") return null;
  if (status === "FRESH") return "yes";
  const name = keyText(own);
  const reasons = causes.map((cause) => {
    const where = keyText(cause.key.path);
    return where === name ? cause.reason : `${where}: ${cause.reason}`;
  });
  return `no; ${reasons.join("; ")}`;
}
