// What the local stack keeps: secrets made once for this machine, a development issuer of admin tokens, the migrated database.
import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { newIssuer, publicKeys } from "./issuer.mjs";
import { bin, files, fingerprint, root, run, step } from "./lib.mjs";

export const CONFIGS = ["wrangler.toml", "workers/voice/wrangler.toml", "workers/admin/wrangler.toml", "workers/safety/wrangler.toml"];
/** Where workerd keeps D1, KV, R2, queues and objects (SILENT_STATE moves it); deleting it starts afresh. */
export const STATE = resolve(root, process.env.SILENT_STATE ?? ".wrangler/state");
/** No telemetry, no call to fetch request metadata, no questions. */
export const QUIET = { WRANGLER_SEND_METRICS: "false", CLOUDFLARE_CF_FETCH_ENABLED: "false", CI: "1" };

const MAKE = {
  TOKEN_SECRET: () => randomBytes(32).toString("base64"),
  KEK: () => `1:${randomBytes(32).toString("base64")}`,
};
// Safety holds no secret.
const ADMIN_VARS = "workers/admin/.dev.vars";
const SECRET_FILES = [".dev.vars", ADMIN_VARS, "workers/voice/.dev.vars"];
/** The private key that signs admin tokens on this machine; the admin Worker has the public one. */
export const ISSUER = join(root, "workers/admin/.dev-issuer.json");

const parse = (text) => Object.fromEntries([...text.matchAll(/^([A-Z_]+)=(.*)$/gm)].map((match) => [match[1], match[2].replace(/^"|"$/g, "")]));

/** Adds missing secrets to the files, the same ones to each; what a person put there stays. */
function secrets() {
  const read = (file) => (existsSync(join(root, file)) ? readFileSync(join(root, file), "utf8") : "");
  const known = Object.assign({}, ...SECRET_FILES.toReversed().map((file) => parse(read(file))));
  for (const [name, make] of Object.entries(MAKE)) known[name] ??= make();
  for (const file of SECRET_FILES) {
    const text = read(file);
    const missing = Object.keys(MAKE).filter((name) => !(name in parse(text)));
    if (missing.length === 0) continue;
    const head = text === "" || text.endsWith("\n") ? text : `${text}\n`;
    writeFileSync(join(root, file), head + missing.map((name) => `${name}="${known[name]}"\n`).join(""), { mode: 0o600 });
    chmodSync(join(root, file), 0o600);
  }
}

/** Makes the issuer's key, and tells the admin Worker its public half. */
function issuer() {
  if (!existsSync(ISSUER)) writeFileSync(ISSUER, JSON.stringify(newIssuer()), { mode: 0o600 });
  const keys = publicKeys(JSON.parse(readFileSync(ISSUER, "utf8")));
  const file = join(root, ADMIN_VARS);
  const others = readFileSync(file, "utf8").split("\n").filter((line) => line !== "" && !line.startsWith("ACCESS_DEV_JWKS="));
  writeFileSync(file, [...others, `ACCESS_DEV_JWKS='${JSON.stringify(keys)}'`, ""].join("\n"), { mode: 0o600 });
}

/** The secrets of this machine, as far as they are missing. */
export const localSecrets = () => step("Local secrets (.dev.vars)", {
  stamp: "secrets", key: [...Object.keys(MAKE), ...SECRET_FILES, "issuer"].join(), still: () => [...SECRET_FILES.map((file) => join(root, file)), ISSUER].every(existsSync),
}, () => {
  secrets();
  issuer();
});

/** Makes secrets and applies migrations, as far as that is not done. The registry seeds itself. */
export async function localState() {
  await localSecrets();
  if (files(["d1-migrations"]).length > 0) {
    await step("D1 migrations", {
      stamp: join(STATE, ".stamps/migrations"), key: fingerprint(["d1-migrations"]),
    }, () => run(bin("wrangler"), ["d1", "migrations", "apply", "DB", "--local", "--persist-to", STATE], { env: QUIET, quiet: true }));
  }
}
