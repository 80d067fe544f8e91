// `npm run -s api-key [-- --name "my program"] [--scope chat --scope audio --scope flags:read]`: an API key of the instance that `npm start` runs.
// Standard output is the key alone.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { onPinnedNode } from "./bootstrap.mjs";
import { Failure } from "./lib.mjs";

console.log = console.error;
await onPinnedNode(async () => {
  let options;
  try {
    options = parseArgs({ options: {
      name: { type: "string", default: "local" }, scope: { type: "string", multiple: true, default: ["chat", "audio", "flags:read"] },
    } }).values;
  } catch (error) {
    throw new Failure(`${error.message}\nUsage: npm run -s api-key -- [--name "my program"] [--scope chat] [--scope flags:read]`);
  }
  const { claimsOf, signed } = await import("./issuer.mjs");
  const { ISSUER, localSecrets } = await import("./local.mjs");
  await localSecrets();
  const url = `http://localhost:${process.env.PORT ?? "8787"}`;
  const token = signed(JSON.parse(readFileSync(ISSUER, "utf8")), claimsOf());
  const response = await fetch(`${url}/admin/v1/api-keys`, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": randomUUID(), "cf-access-jwt-assertion": token },
    body: JSON.stringify({ name: options.name, scopes: options.scope, reason: "npm run api-key" }),
  }).catch(() => { throw new Failure(`Nothing answers on ${url}: 'npm start' in another terminal first.`); });
  const body = await response.json();
  if (!response.ok) throw new Failure(`${body.title}: ${body.detail ?? response.status}`);
  process.stdout.write(`${body.secret}\n`);
});
