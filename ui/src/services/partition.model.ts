/** How a run is told which partitions to work on: one by its key, a range of them by two tags. Pure. */

interface Tag {
  key: string;
  value: string;
}

/** The tags that ask one run for all partitions from the first to the last, both included. */
export function rangeTags(first: string, last: string): Tag[] {
  return [
    { key: "penstock/asset_partition_range_start", value: first },
    { key: "penstock/asset_partition_range_end", value: last },
  ];
}

/** Reads a key, or two with three dots between them, as people type them. */
export function readPartition(text: string): { partition?: string; tags: Tag[] } {
  const [first = "", last] = text.split("...").map((part) => part.trim());
  if (last) return { tags: rangeTags(first, last) };
  return first === "" ? { tags: [] } : { partition: first, tags: [] };
}
