/** What is said of a pool, and what a limit that somebody types in means. */

/** The limit in words. */
export function limitText(limit: number | null, isDefault: boolean): string {
  if (limit === null) return "No limit";
  return isDefault ? `${limit} (default)` : String(limit);
}

/** A typed limit: a number, null for none of its own, or a sentence on what is wrong with it. */
export function limitOf(typed: string, most: number): number | null | string {
  const text = typed.trim();
  if (text === "") return null;
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 0 || limit > most) return `A limit is a whole number from 0 to ${most}.`;
  return limit;
}

/** Who has a claim: a step, or the whole run. */
export function stepText(stepKey: string): string {
  return stepKey === "" ? "Whole run" : stepKey;
}
