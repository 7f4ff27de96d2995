// A worker in workerd, the runtime of the edge, on this machine.

import { fileURLToPath } from "node:url";
import { Miniflare } from "miniflare";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Starts `test/<name>` with these variables in its `env`. */
export function start(name, bindings = {}) {
  return new Miniflare({
    modules: true,
    modulesRoot: root,
    modulesRules: [
      { type: "ESModule", include: ["**/*.js", "**/*.mjs"] },
      { type: "CompiledWasm", include: ["**/*.wasm"] },
    ],
    scriptPath: fileURLToPath(new URL(name, import.meta.url)),
    compatibilityDate: "2026-04-01",
    bindings,
  });
}

/** Posts a document to `path` of the worker; its answer. */
export async function call(worker, path, document = null) {
  const response = await worker.dispatchFetch(`https://worker.test${path}`, { method: "POST", body: JSON.stringify(document) });
  const text = await response.text();
  if (response.status !== 200) throw new Error(text);
  return JSON.parse(text);
}
