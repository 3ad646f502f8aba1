import { expect, test } from "vitest";

import { curlText } from "./webhook.model";

test("the command goes to the server that the pages are from", () => {
  const lines = curlText("http://localhost:3000/", "/hooks/shop.py/orders", "pswh_1").split(" \\\n  ");
  expect(lines[0]).toBe("curl -X POST 'http://localhost:3000/hooks/shop.py/orders'");
  expect(lines[1]).toBe("-H 'Authorization: Bearer pswh_1'");
  expect(curlText("https://x.org/penstock/", "/hooks/a/b", "t")).toContain("'https://x.org/penstock/hooks/a/b'");
});

test("what is in it cannot end a word", () => {
  expect(curlText("http://x/", "/hooks/a/it's", "t")).toContain(String.raw`'http://x/hooks/a/it'\''s'`);
});
