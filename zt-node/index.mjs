import zt from "./index.js";

export const { Decision, Engine, OPS, Verified, Verifier, op } = zt;
