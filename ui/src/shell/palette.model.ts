/** Finds what a few letters mean among many names. Pure. */

export interface Entry {
  id: string;
  /** What it is: "Job", "Asset", "Go to" ... */
  kind: string;
  name: string;
  /** Where it is from. */
  detail: string;
}

/**
 * How well the letters fit the name; null when they do not. Letters must come in order; whole pieces, starts of words
 * and short names score higher.
 */
export function score(letters: string, name: string): number | null {
  const wanted = letters.toLowerCase().replaceAll(/\s+/g, "");
  const text = name.toLowerCase();
  if (wanted === "") return 0;
  const whole = text.indexOf(wanted);
  if (whole >= 0) return 1000 - text.length - whole * 2 + (startsWord(text, whole) ? 200 : 0) + (text === wanted ? 500 : 0);
  let at = -1;
  let points = 300 - text.length;
  for (const letter of wanted) {
    const found = text.indexOf(letter, at + 1);
    if (found < 0) return null;
    points -= at < 0 ? 0 : found - at - 1;
    points += startsWord(text, found) ? 8 : 0;
    at = found;
  }
  return points;
}

function startsWord(text: string, at: number): boolean {
  return at === 0 || /[^a-z0-9]/.test(text[at - 1]!);
}

/** The best entries for the letters, best first. */
export function search<E extends Entry>(letters: string, entries: readonly E[], limit: number): E[] {
  return entries
    .map((entry) => ({ entry, points: score(letters, entry.name) }))
    .filter((found): found is { entry: E; points: number } => found.points !== null)
    .sort((one, other) => other.points - one.points)
    .slice(0, limit)
    .map((found) => found.entry);
}
