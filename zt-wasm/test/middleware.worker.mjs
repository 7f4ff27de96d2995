// A worker behind the middleware.

import { Engine, randomSeed, withZt } from "../worker.js";

const seen = [];

async function handler(request, env, ctx) {
  const { pathname } = new URL(request.url);
  if (pathname === "/seen") return Response.json(seen.splice(0));
  const text = await request.text();
  return Response.json({ who: ctx.zt.identity?.principal ?? null, method: request.method, length: text.length, text: text.slice(0, 99) });
}

const enforced = withZt(handler, {
  engine: (env) => Engine.fromToml(env.CONFIG, { seed: randomSeed() }),
  onDecision: (request, decision) => seen.push(decision.toJSON()),
});
const monitored = withZt(handler, {
  engine: (env) => Engine.fromToml(env.CONFIG.replace("version = 1", 'version = 1\nmode = "monitor"')),
});

const atOnce = withZt(
  (request, env, ctx) => {
    if (request.headers.get("x-fails") === "handler") throw new Error("no service");
    ctx.ztCost = Number(request.headers.get("x-cost") ?? 1);
    return Response.json({});
  },
  {
    engine: (env) => Engine.fromToml(env.AT_ONCE),
    onDecision: (request) => {
      if (request.headers.get("x-fails") === "listener") throw new Error("no log");
    },
  },
);

export default {
  async fetch(request, env, ctx) {
    if (new URL(request.url).pathname === "/at-once") {
      return atOnce(request, env, ctx).catch((error) => new Response(error.message, { status: 500 }));
    }
    return (request.headers.get("x-monitor") ? monitored : enforced)(request, env, ctx);
  },
};
