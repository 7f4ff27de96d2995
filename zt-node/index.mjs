import zt from "./index.js";

export const { Decision, Engine, OPS, Redactor, Verified, Verifier, op } = zt;
