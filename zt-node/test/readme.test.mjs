// The JavaScript of the project's README, run as it stands.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";

const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
const block = (language) => new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(readme)[1];

test("the README's application is protected", async () => {
  const folder = mkdtempSync(join(tmpdir(), "zt-readme-"));
  writeFileSync(join(folder, "zt.toml"), block("toml"));
  const before = process.cwd();
  process.chdir(folder);
  const app = new Function("require", `${block("js")}; return app;`)(createRequire(import.meta.url));
  process.chdir(before);

  const server = await new Promise((resolve) => {
    const listening = app.listen(0, "127.0.0.1", () => resolve(listening));
  });
  try {
    const url = `http://127.0.0.1:${server.address().port}/v1/orders/42`;
    const key = /the key whose digest stands there is `([^`]+)`/.exec(readme)[1];
    const known = await fetch(url, { headers: { "x-api-key": key } });
    assert.equal(known.status, 200);
    assert.deepEqual(await known.json(), { id: "42", for: "partner-7" });
    assert.equal((await fetch(url)).status, 401);
  } finally {
    server.close();
  }
});
