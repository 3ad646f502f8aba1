/** A growing list behind a cursor: read page by page from the start, then grown by what is pushed. */
import { useEffect, useRef, useState } from "react";

import { useCoalesced } from "./data";
import { useLive } from "./live";

export interface Followed<Item> {
  items: readonly Item[];
  isLoading: boolean;
  error: unknown;
  /** There are more than are read without being asked to; this reads on. */
  readOn: (() => void) | null;
}

export interface Page<Item> {
  items: readonly Item[];
  cursor: string | null;
  hasMore: boolean;
}

interface Read<Item> {
  key: string;
  items: readonly Item[];
  cursor: string | null;
  complete: boolean;
  error: unknown;
}

/** `key` says what is read, null that nobody looks; `atOnce` is how many are read without being asked to. */
export function useFollowed<Item>(
  key: string | null,
  topics: readonly string[],
  atOnce: number,
  readPage: (cursor: string | null) => Promise<Page<Item>>,
): Followed<Item> {
  const of = key ?? "";
  const [read, setRead] = useState<Read<Item>>(() => nothingOf(of));
  const [allowed, setAllowed] = useState(atOnce);
  const current = useRef(read);
  const limit = useRef(allowed);
  limit.current = allowed;

  const advance = useCoalesced(async () => {
    if (key === null) return;
    for (;;) {
      const before = current.current;
      if (before.items.length >= limit.current) return;
      const after = await grown(before, readPage);
      if (current.current !== before) continue; // something else is read meanwhile: this page belongs to nobody
      current.current = after;
      setRead(after);
      if (after.complete || after.error !== null) return;
    }
  });
  useEffect(() => {
    current.current = nothingOf(of);
    setRead(current.current);
    setAllowed(atOnce);
    advance();
  }, [of, atOnce, advance]);
  useLive(key === null ? [] : [...topics], advance);

  const shown = read.key === of ? read : nothingOf<Item>(of);
  const held = !shown.complete && shown.items.length >= allowed;
  return {
    items: shown.items,
    isLoading: key !== null && !shown.complete && shown.error === null && !held,
    error: shown.error,
    readOn: held
      ? () => {
          limit.current = allowed + atOnce;
          setAllowed(limit.current);
          advance();
        }
      : null,
  };
}

function nothingOf<Item>(key: string): Read<Item> {
  return { key, items: [], cursor: null, complete: false, error: null };
}

async function grown<Item>(
  before: Read<Item>,
  readPage: (cursor: string | null) => Promise<Page<Item>>,
): Promise<Read<Item>> {
  try {
    const page = await readPage(before.cursor);
    const items = page.items.length === 0 ? before.items : [...before.items, ...page.items];
    return { key: before.key, items, cursor: page.cursor, complete: !page.hasMore, error: null };
  } catch (error) {
    return { ...before, error };
  }
}
