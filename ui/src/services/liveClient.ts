/**
 * Changes pushed by the server: one stream, whatever the number of readers. The stream closes when the page has been
 * hidden for a while and opens again when it is seen; every reader is then told that all may have changed.
 */
import { readEvents, type StreamEvent } from "./sse.model";

export type LiveState = "connecting" | "live" | "retrying" | "polling";

/** What changed: the topics, and the last event's id where the server gave one. */
export interface Change {
  topics: ReadonlySet<string>;
  cursor: string | null;
}

type Reader = (change: Change) => void;

const HIDDEN_BEFORE_CLOSE_MS = 30_000;
const SILENCE_BEFORE_RETRY_MS = 40_000;
const LONGEST_PAUSE_MS = 15_000;
const POLL_MS = 15_000;
const FAILURES_BEFORE_POLLING = 3;

/** What the client stands on: in the page the browser, in tests something in its place. */
export interface Surroundings {
  fetch: (path: string, init: RequestInit) => Promise<Response>;
  isHidden: () => boolean;
}

export class LiveClient {
  private readonly readers = new Map<Reader, readonly string[]>();
  private readonly watchers = new Set<() => void>();
  private state: LiveState = "connecting";
  private serverVersion: string | null = null;
  private streamId: string | null = null;
  private sentTopics = "";
  private abort: AbortController | null = null;
  private failures = 0;
  private missed = false;
  private topicsTimer: ReturnType<typeof setTimeout> | null = null;
  private hiddenTimer: ReturnType<typeof setTimeout> | null = null;
  private retryTimer: ReturnType<typeof setTimeout> | null = null;
  private silenceTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(private readonly around: Surroundings) {}

  /** Calls the reader on changes of the topics until the returned function is called. */
  subscribe(topics: readonly string[], reader: Reader): () => void {
    this.readers.set(reader, topics);
    this.topicsMayHaveChanged();
    return () => {
      this.readers.delete(reader);
      this.topicsMayHaveChanged();
    };
  }

  watchState = (watcher: () => void): (() => void) => {
    this.watchers.add(watcher);
    return () => this.watchers.delete(watcher);
  };

  currentState = (): LiveState => this.state;

  /** The version that the server named last; null before the first stream. */
  currentVersion = (): string | null => this.serverVersion;

  private topics(): string[] {
    return [...new Set([...this.readers.values()].flat())].sort();
  }

  private topicsMayHaveChanged(): void {
    this.topicsTimer ??= setTimeout(() => {
      this.topicsTimer = null;
      const topics = this.topics();
      if (this.abort === null) {
        if (topics.length > 0 && this.retryTimer === null && !this.around.isHidden()) void this.run();
      } else if (this.streamId !== null && topics.join(" ") !== this.sentTopics) {
        void this.sendTopics(this.streamId, topics);
      }
    }, 30);
  }

  private async sendTopics(id: string, topics: string[]): Promise<void> {
    this.sentTopics = topics.join(" ");
    try {
      const response = await this.around.fetch(`/live/${id}`, jsonPost({ topics }));
      if (!response.ok) this.abort?.abort();
    } catch {
      this.abort?.abort(); // the stream's own reader then opens it anew
    }
  }

  private async run(): Promise<void> {
    const abort = new AbortController();
    this.abort = abort;
    try {
      await this.readStream(abort.signal);
    } catch {
      // Whatever ended the stream, the remedy is the same: open it again after a pause. The state says so meanwhile.
    }
    abort.abort();
    this.abort = null;
    this.streamId = null;
    this.missed = true;
    if (this.silenceTimer !== null) clearTimeout(this.silenceTimer);
    if (this.around.isHidden() || this.topics().length === 0) return;
    this.failures += 1;
    const polling = this.failures >= FAILURES_BEFORE_POLLING;
    this.setState(polling ? "polling" : "retrying");
    const pause = Math.min(LONGEST_PAUSE_MS, 500 * 2 ** (this.failures - 1)) * (0.7 + 0.6 * Math.random());
    this.retryTimer = setTimeout(
      () => {
        this.retryTimer = null;
        if (polling) this.tellAll();
        void this.run();
      },
      polling ? POLL_MS : pause,
    );
  }

  private async readStream(signal: AbortSignal): Promise<void> {
    const topics = this.topics();
    this.sentTopics = topics.join(" ");
    const response = await this.around.fetch("/live", { ...jsonPost({ topics }, "text/event-stream"), signal });
    if (!response.ok || response.body === null) throw new Error(`The server answered ${response.status} to /live.`);
    const pieces = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      this.expectSoon();
      const { done, value } = await pieces.read();
      if (done) return;
      const read = readEvents(rest, value);
      rest = read.rest;
      for (const event of read.events) this.onEvent(event);
    }
  }

  /** A stream without even heartbeats is dead, whatever the network says. */
  private expectSoon(): void {
    if (this.silenceTimer !== null) clearTimeout(this.silenceTimer);
    this.silenceTimer = setTimeout(() => this.abort?.abort(), SILENCE_BEFORE_RETRY_MS);
  }

  private onEvent({ event, data }: StreamEvent): void {
    const body = JSON.parse(data) as { id?: string; version?: string; topics?: string[]; cursor?: string | number | null };
    if (event === "hello") {
      this.streamId = body.id ?? null;
      this.serverVersion = body.version ?? null;
      this.failures = 0;
      this.setState("live");
      if (this.missed) this.tellAll();
      this.missed = false;
      this.topicsMayHaveChanged();
    } else if (event === "change") {
      const cursor = body.cursor === null || body.cursor === undefined ? null : String(body.cursor);
      this.tell({ topics: new Set(body.topics ?? []), cursor });
    }
  }

  private tell(change: Change): void {
    for (const [reader, topics] of this.readers) {
      if (topics.some((topic) => change.topics.has(topic))) reader(change);
    }
  }

  private tellAll(): void {
    this.tell({ topics: new Set(this.topics()), cursor: null });
  }

  /** The page was hidden or shown. */
  visibilityChanged(): void {
    if (this.around.isHidden()) {
      this.hiddenTimer = setTimeout(() => this.abort?.abort(), HIDDEN_BEFORE_CLOSE_MS);
    } else {
      if (this.hiddenTimer !== null) clearTimeout(this.hiddenTimer);
      this.retryNow();
    }
  }

  /** Opens the stream now rather than after the pause, when there is none. */
  retryNow(): void {
    if (this.retryTimer !== null) clearTimeout(this.retryTimer);
    this.retryTimer = null;
    if (this.abort === null && this.topics().length > 0) void this.run();
  }

  private setState(state: LiveState): void {
    if (state === this.state) return;
    this.state = state;
    for (const watcher of this.watchers) watcher();
  }
}

function jsonPost(body: unknown, accept = "application/json"): RequestInit {
  return { method: "POST", headers: { "content-type": "application/json", accept }, body: JSON.stringify(body) };
}
