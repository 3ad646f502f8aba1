/** Reads the `text/event-stream` format, piece by piece. Pure. */

export interface StreamEvent {
  event: string;
  data: string;
}

/** What is left of an unfinished event, and the events that are whole. */
export function readEvents(rest: string, piece: string): { rest: string; events: StreamEvent[] } {
  const blocks = (rest + piece).replaceAll("\r\n", "\n").split("\n\n");
  const unfinished = blocks.pop() ?? "";
  return { rest: unfinished, events: blocks.map(readBlock).filter((event) => event !== null) };
}

function readBlock(block: string): StreamEvent | null {
  let event = "message";
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    if (colon === 0) continue;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") event = value;
    else if (field === "data") data.push(value);
  }
  return data.length === 0 ? null : { event, data: data.join("\n") };
}
