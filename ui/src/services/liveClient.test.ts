import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { LiveClient } from "./liveClient";

/** A server whose streams the test opens, feeds and ends. */
function fakeServer() {
  const opened: { topics: string[]; send: (event: string, data: unknown) => void; end: () => void }[] = [];
  const retargeted: string[][] = [];
  let isDown = false;
  const encoder = new TextEncoder();
  const fetch = (path: string, init: RequestInit): Promise<Response> => {
    const { topics } = JSON.parse(init.body as string) as { topics: string[] };
    if (isDown) return Promise.reject(new TypeError("Failed to fetch"));
    if (path !== "/live") {
      retargeted.push(topics);
      return Promise.resolve(new Response("{}"));
    }
    const body = new ReadableStream<Uint8Array>({
      start(stream) {
        init.signal?.addEventListener("abort", () => stream.error(new Error("aborted")));
        opened.push({
          topics,
          send: (event, data) => stream.enqueue(encoder.encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)),
          end: () => stream.close(),
        });
      },
    });
    return Promise.resolve(new Response(body));
  };
  return { opened, retargeted, fetch, setDown: (down: boolean) => (isDown = down) };
}

/** Lets timers up to `ms` go off, and what is read from streams arrive. */
async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

let hidden = false;
beforeEach(() => {
  hidden = false;
  vi.useFakeTimers();
});
afterEach(() => void vi.useRealTimers());

async function opened() {
  const server = fakeServer();
  const client = new LiveClient({ fetch: server.fetch, isHidden: () => hidden });
  const told: string[][] = [];
  client.subscribe(["runs", "queue"], (change) => told.push([...change.topics].sort()));
  await pass(50);
  server.opened[0]!.send("hello", { id: "s1", version: "1.2.3" });
  await pass(50);
  return { server, client, told };
}

describe("LiveClient", () => {
  it("opens one stream with all topics, and tells those who asked", async () => {
    const { server, client, told } = await opened();
    expect(server.opened.map((stream) => stream.topics)).toEqual([["queue", "runs"]]);
    expect([client.currentState(), client.currentVersion()]).toEqual(["live", "1.2.3"]);
    server.opened[0]!.send("change", { topics: ["runs"], cursor: 7 });
    server.opened[0]!.send("change", { topics: ["assets"], cursor: 8 });
    await pass(10);
    expect(told).toEqual([["runs"]]);
  });

  it("changes its topics without a new stream", async () => {
    const { server, client } = await opened();
    const stop = client.subscribe(["run:1"], () => undefined);
    await pass(50);
    stop();
    await pass(50);
    expect(server.retargeted).toEqual([
      ["queue", "run:1", "runs"],
      ["queue", "runs"],
    ]);
    expect(server.opened).toHaveLength(1);
  });

  it("opens the stream again after its end, and then tells all that anything may have changed", async () => {
    const { server, client, told } = await opened();
    server.opened[0]!.end();
    await pass(10);
    expect(client.currentState()).toBe("retrying");
    await pass(2_000);
    server.opened[1]!.send("hello", { id: "s2", version: "1.2.4" });
    await pass(10);
    expect(client.currentState()).toBe("live");
    expect(told).toEqual([["queue", "runs"]]);
  });

  it("falls back to asking now and then when no stream can be had, and recovers", async () => {
    const { server, client, told } = await opened();
    server.setDown(true);
    server.opened[0]!.end();
    await pass(10_000);
    expect(client.currentState()).toBe("polling");
    const before = told.length;
    await pass(16_000);
    expect(told.length).toBeGreaterThan(before);
    server.setDown(false);
    await pass(16_000);
    server.opened[1]!.send("hello", { id: "s3", version: "1.2.3" });
    await pass(10);
    expect(client.currentState()).toBe("live");
  });

  it("closes the stream of a page that stays hidden, and opens it when the page is seen", async () => {
    const { server, client } = await opened();
    hidden = true;
    client.visibilityChanged();
    await pass(120_000);
    expect(server.opened).toHaveLength(1);
    hidden = false;
    client.visibilityChanged();
    await pass(50);
    expect(server.opened).toHaveLength(2);
  });

  it("takes a stream without heartbeats for dead", async () => {
    const { server } = await opened();
    await pass(60_000);
    expect(server.opened.length).toBeGreaterThan(1);
  });
});
