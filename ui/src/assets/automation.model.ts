/** How an automation condition is called. Pure. */

interface Condition {
  label: string | null;
  /** Its own name, and those of its parts. */
  expandedLabel: readonly string[];
}

/** The name that people gave it; of one without, how its parts with names are joined. */
export function conditionText({ label, expandedLabel }: Condition): string {
  return label ?? expandedLabel.slice(0, MOST).join(" ") + (expandedLabel.length > MOST ? " …" : "");
}

const MOST = 4;
