import { describe, expect, it } from "vitest";

import { readEvents } from "./sse.model";

describe("readEvents", () => {
  it("reads whole events and keeps the unfinished one", () => {
    const { rest, events } = readEvents("", "event: hello\ndata: {}\n\nevent: chan");
    expect(events).toEqual([{ event: "hello", data: "{}" }]);
    expect(rest).toBe("event: chan");
    expect(readEvents(rest, "ge\ndata: 1\n\n").events).toEqual([{ event: "change", data: "1" }]);
  });

  it("joins data lines, and leaves comments and empty events out", () => {
    expect(readEvents("", ": heartbeat\n\ndata: a\ndata: b\r\n\r\n").events).toEqual([{ event: "message", data: "a\nb" }]);
  });

  it("gives the same events however the text is cut", () => {
    const text = ": hi\n\nevent: a\ndata: 1\n\nevent: b\ndata: 2\ndata: 3\n\n";
    const whole = readEvents("", text).events;
    for (let cut = 0; cut <= text.length; cut++) {
      const first = readEvents("", text.slice(0, cut));
      const second = readEvents(first.rest, text.slice(cut));
      expect([...first.events, ...second.events]).toEqual(whole);
    }
  });
});
