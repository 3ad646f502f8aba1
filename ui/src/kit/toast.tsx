/** Short notes at the corner of the page: what was done, or why it was not. */
import { useSyncExternalStore } from "react";

import { IconButton } from "./Button";
import { cx } from "./cx";
import { Link } from "./Link";
import css from "./toast.module.css";

export interface Note {
  text: string;
  tone?: "good" | "bad";
  /** A page to go on to. */
  link?: { to: string; label: string };
}

const SHOWN_MS = 6_000;
const FAILURE_SHOWN_MS = 20_000;

let notes: readonly (Note & { id: number })[] = [];
let nextId = 1;
const watchers = new Set<() => void>();

function set(next: typeof notes): void {
  notes = next;
  for (const watcher of watchers) watcher();
}

function close(id: number): void {
  set(notes.filter((note) => note.id !== id));
}

/** Shows a note; it goes by itself. */
export function toast(note: Note): void {
  const id = nextId++;
  set([...notes.slice(-3), { ...note, id }]);
  setTimeout(() => close(id), note.tone === "bad" ? FAILURE_SHOWN_MS : SHOWN_MS);
}

/** Shows what went wrong. */
export function toastError(error: unknown): void {
  toast({ text: error instanceof Error ? error.message : String(error), tone: "bad" });
}

function watch(watcher: () => void): () => void {
  watchers.add(watcher);
  return () => watchers.delete(watcher);
}

/** The place where notes appear; once in the page. */
export function Toasts() {
  const shown = useSyncExternalStore(watch, () => notes);
  return (
    <div className={css.toasts} role="status" aria-live="polite">
      {shown.map((note) => (
        <div key={note.id} className={cx(css.toast, note.tone === "bad" && css.bad)}>
          <span className={css.text}>{note.text}</span>
          {note.link === undefined ? null : <Link to={note.link.to}>{note.link.label}</Link>}
          <IconButton icon="close" label="Close" onPress={() => close(note.id)} />
        </div>
      ))}
    </div>
  );
}
