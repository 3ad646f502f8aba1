/** How a webhook is called, as a command that people can try. Pure. */

/** The command that sends a request; `token` is its text, or a word in its place. */
export function curlText(base: string, path: string, token: string): string {
  const url = new URL(path.replace(/^\//, ""), base).href;
  return [
    `curl -X POST ${quoted(url)}`,
    `-H ${quoted(`Authorization: Bearer ${token}`)}`,
    `-H ${quoted("Content-Type: application/json")}`,
    `-H ${quoted("Idempotency-Key: 17")}`,
    `-d ${quoted('{"id": "17"}')}`,
  ].join(" \\\n  ");
}

/** A word of a shell command. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
