// The conformance vectors, the same files in every runtime.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { Engine, op } from "zt";
import { run } from "../../zt-core/tests/vectors/match.mjs";

const folder = new URL("../../zt-core/tests/vectors/", import.meta.url);
const names = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".json")).sort();

test("there are vectors", () => assert.ok(names.length >= 20));

for (const name of names) {
  test(`vector ${name}`, () => {
    const vector = JSON.parse(readFileSync(new URL(name, folder), "utf8"));
    const { problems, decisions } = run(vector, Engine.fromToml(vector.config));
    assert.deepEqual(problems, []);
    const bundle = Buffer.from(op("compile", { config: vector.config }).bundle, "base64");
    assert.deepEqual(run(vector, Engine.fromBundle(bundle)), { problems, decisions }, "from a bundle");
  });
}
