// The conformance vectors, the same files in every runtime; here inside workerd.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { after, test } from "node:test";
import { call, start } from "./runtime.mjs";

const folder = new URL("../../zt-core/tests/vectors/", import.meta.url);
const names = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".json")).sort();
const worker = start("documents.worker.mjs");
after(() => worker.dispose());

test("there are vectors", () => assert.ok(names.length >= 20));

for (const name of names) {
  test(`vector ${name}`, async () => {
    const vector = JSON.parse(readFileSync(new URL(name, folder), "utf8"));
    assert.deepEqual(await call(worker, "/run", vector), []);
  });
}
