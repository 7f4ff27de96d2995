import zt from "./index.js";

export const { Authorized, Decision, Engine, OPS, Policy, Redactor, Verified, Verifier, op } = zt;
