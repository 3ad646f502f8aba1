/** What the web server wrote into the page: known before the first request. */

export interface Bootstrap {
  /** The server's version. */
  version?: string;
  /** "read-only" when nothing may be changed from here. */
  mode?: string;
  /** For style elements that a library must add (the page's security policy allows no others). */
  nonce?: string;
}

function read(): Bootstrap {
  const text = document.getElementById("bootstrap")?.textContent ?? "";
  return text.trim() === "" ? {} : (JSON.parse(text) as Bootstrap);
}

export const bootstrap: Bootstrap = read();

if (bootstrap.nonce !== undefined) {
  const meta = document.createElement("meta"); // where the kit's library looks for it
  meta.setAttribute("property", "csp-nonce");
  meta.content = bootstrap.nonce;
  meta.nonce = bootstrap.nonce;
  document.head.append(meta);
}

/** The path under which the pages are served: "/" or a prefix that ends with one. */
export const basePath: string = new URL(document.baseURI).pathname;

/** The address of one of the server's routes. */
export function serverUrl(path: string): string {
  return basePath + path.replace(/^\//, "");
}
