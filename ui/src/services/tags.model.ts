/** Reads tags as people type them: `key=value, key=value`. Pure. */

export interface ParsedTags {
  readonly tags: { key: string; value: string }[];
  /** The pieces that are no tag. */
  readonly wrong: readonly string[];
}

export function parseTags(text: string): ParsedTags {
  const tags: { key: string; value: string }[] = [];
  const wrong: string[] = [];
  for (const piece of text
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean)) {
    const [, key, value] = /^([^=\s]+)\s*=\s*(.*)$/.exec(piece) ?? [];
    if (key === undefined || value === undefined) wrong.push(piece);
    else tags.push({ key, value });
  }
  return { tags, wrong };
}
