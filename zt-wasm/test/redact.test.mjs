// `withZt` inside workerd, where a policy hides members of the response.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { start } from "./runtime.mjs";

const CONFIG = `
version = 1
[[endpoint]]
method = "*"
path = "/**"
anonymous = true
[policy]
text = '''@redact("customer.ssn") permit(principal, action, resource);'''
`;
const BODY = '{"customer":{"name":"Anna","ssn":"078-05-1120"},"total":1}';
const HIDDEN = '{"customer":{"name":"Anna","ssn":"[redacted]"},"total":1}';

const worker = start("redact.worker.mjs", { CONFIG });
after(() => worker.dispose());
const fetch = (path, init) => worker.dispatchFetch(`https://api.example.com${path}`, init);

test("a response is redacted while it streams", async () => {
  const answer = await fetch("/json");
  const { headers } = answer;
  assert.deepEqual([answer.status, headers.get("etag"), headers.get("x-kept")], [201, null, "1"]);
  assert.equal(await answer.text(), HIDDEN);
  assert.equal(await (await fetch("/pieces")).text(), HIDDEN);
});

test("what cannot be redacted is not sent", async () => {
  for (const path of ["/text", "/socket"]) {
    const answer = await fetch(path);
    assert.deepEqual([answer.status, answer.headers.get("x-secret")], [403, null], path);
    assert.equal(answer.headers.get("content-type"), "application/problem+json");
    assert.deepEqual((await answer.json()).reasons, ["respond.unredactable"], path);
  }
});

test("what is not JSON breaks off", async () => {
  for (const path of ["/broken", "/cut"]) {
    const { text, error } = await (await fetch(path, { headers: { "x-read": "1" } })).json();
    assert.match(error, /JSON/, path);
    assert.ok(!text.includes("078"), text);
  }
});

test("an empty body needs no redaction, and monitor mode changes nothing", async () => {
  assert.equal((await fetch("/empty")).status, 204);
  assert.equal((await fetch("/nothing")).status, 200);
  // A tag or digest of the whole is enough to guess what is hidden.
  for (const [path, init, status] of [["/json", { method: "HEAD" }, 201], ["/tagged", {}, 304]]) {
    const answer = await fetch(path, init);
    assert.deepEqual([answer.status, answer.headers.get("etag"), answer.headers.get("x-kept")], [status, null, "1"], path);
  }
  const monitor = { headers: { "x-monitor": "1" } };
  assert.equal(await (await fetch("/json", monitor)).text(), BODY);
  assert.equal(await (await fetch("/text", monitor)).text(), "secret");
});
