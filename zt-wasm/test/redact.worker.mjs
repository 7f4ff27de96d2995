// A worker whose responses are redacted.

import { Engine, withZt } from "../worker.js";

const BODY = '{"customer":{"name":"Anna","ssn":"078-05-1120"},"total":1}';
const json = { "content-type": "application/json" };

function stream(pieces) {
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      if (pieces.length === 0) return controller.close();
      controller.enqueue(encoder.encode(pieces.shift()));
    },
  });
}

const answers = {
  "/json": () => Response.json(JSON.parse(BODY), { status: 201, headers: { etag: '"1"', "content-length": `${BODY.length}`, "x-kept": "1" } }),
  "/pieces": () => new Response(stream(BODY.match(/.{1,3}/g)), { headers: json }),
  "/text": () => new Response("secret", { headers: { "x-secret": "1" } }),
  "/broken": () => new Response(stream(['{"customer":{"ssn":"078', "\u0001-secret", '"}}']), { headers: json }),
  "/cut": () => new Response(stream(['{"customer":{"ssn":"078']), { headers: json }),
  "/tagged": () => new Response(null, { status: 304, headers: { etag: '"1"', "x-kept": "1" } }),
  "/empty": () => new Response(null, { status: 204 }),
  "/nothing": () => new Response(null, { headers: { "content-type": "text/html" } }),
  "/socket": () => new Response(null, { status: 101, webSocket: new WebSocketPair()[0] }),
};

const handler = (request) => answers[new URL(request.url).pathname]();
const enforced = withZt(handler, { engine: (env) => Engine.fromToml(env.CONFIG) });
const monitored = withZt(handler, {
  engine: (env) => Engine.fromToml(env.CONFIG.replace("version = 1", 'version = 1\nmode = "monitor"')),
});

export default {
  async fetch(request, env, ctx) {
    const response = await (request.headers.get("x-monitor") ? monitored : enforced)(request, env, ctx);
    if (!request.headers.get("x-read")) return response;
    // Read here: what breaks off is seen for certain.
    const reader = response.body.getReader();
    let text = "";
    try {
      for (let part; !(part = await reader.read()).done; ) text += new TextDecoder().decode(part.value);
    } catch (error) {
      return Response.json({ text, error: error.message });
    }
    return Response.json({ text, error: null });
  },
};
