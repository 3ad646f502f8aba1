/** The one door to the server's GraphQL API: documents in, typed answers out. */
import { serverUrl } from "./bootstrap";

/** The text of an operation, with the types of its answer and of its variables. */
export type Document<Answer, Variables> = string & { readonly __types?: (variables: Variables) => Answer };

/** Tags a document; the types SomeQuery and SomeQueryVariables of `query Some` come from `schema.gen.ts`. */
export function gql<Answer = never, Variables = never>(
  parts: TemplateStringsArray,
  ...fragments: string[]
): Document<Answer, Variables> {
  return String.raw({ raw: parts.raw }, ...fragments).trim();
}

/** The server could not be reached, or refused, or failed. */
export class ServerError extends Error {
  override readonly name = "ServerError";
  constructor(
    message: string,
    /** What the reader may do, or what the server said in full. */
    readonly detail: string,
    /** Whether trying again later may help. */
    readonly passing: boolean,
  ) {
    super(message);
  }
}

interface Body<Answer> {
  data?: Answer | null;
  errors?: { message: string; path?: (string | number)[] }[];
}

/** The first word after `query` or `mutation`. */
export function operationName(document: string): string {
  return /\b(?:query|mutation)\s+(\w+)/.exec(document)?.[1] ?? "";
}

/**
 * Asks the server.
 *
 * @throws ServerError when no answer came, or the answer is not data.
 */
export async function ask<Answer, Variables>(
  document: Document<Answer, Variables>,
  variables: Variables,
  signal?: AbortSignal,
): Promise<Answer> {
  const name = operationName(document);
  const response = await send(JSON.stringify({ query: document, variables, operationName: name }), signal);
  const text = await response.text();
  let body: Body<Answer>;
  try {
    body = JSON.parse(text) as Body<Answer>;
  } catch {
    const passing = response.status >= 500;
    throw new ServerError(`The server answered ${response.status} to ${name}.`, text.slice(0, 2000), passing);
  }
  if (body.errors !== undefined && body.errors.length > 0) {
    const lines = body.errors.map((error) => (error.path ? `${error.path.join(".")}: ${error.message}` : error.message));
    throw new ServerError(`The server could not answer ${name}.`, lines.join("\n"), response.status >= 500);
  }
  if (!body.data) throw new ServerError(`The server gave no data for ${name}.`, text.slice(0, 2000), false);
  return body.data;
}

async function send(body: string, signal?: AbortSignal): Promise<Response> {
  try {
    return await fetch(serverUrl("/graphql"), {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body,
      signal: signal ?? null,
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ServerError("The web server does not answer.", "Is it running? This page tries again by itself.", true);
  }
}
