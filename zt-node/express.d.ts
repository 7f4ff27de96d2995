import type { Decision, Engine, Peer } from "./index.js";

/** Every request is decided before the application sees it; the application finds the decision as `req.zt`, and may set `req.ztCost`. */
declare function zt(options?: zt.ZtOptions): (req: any, res: any, next: (error?: unknown) => void) => void;

declare namespace zt {
  export interface ZtOptions {
    /** The engine; without it one is made from `config`. */
    engine?: Engine;
    /** Path of the configuration; `zt.toml` unless told otherwise. */
    config?: string;
    /** The other end of the connection; its socket's address unless told otherwise. Behind a proxy say here whom you trust. */
    peer?: (req: any) => string | Peer;
    /** Called for every decision, before it is acted upon. */
    onDecision?: (req: any, decision: Decision) => void;
  }

}

declare module "http" {
  interface IncomingMessage {
    /** The decision about this request, behind the middleware. */
    zt?: Decision;
    /** What the request turned out to cost, for limits whose `cost` is `"response"`; the application says it. */
    ztCost?: number;
  }
}

export = zt;
