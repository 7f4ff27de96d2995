import zt from "./index.js";

export const { Decision, Engine, OPS, op } = zt;
