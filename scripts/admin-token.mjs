// `npm run -s admin-token [-- --email ada@example.org | --service ci] [--hours 24]`: a token of the local development issuer.
// Standard output is the token alone; with `--link` (`npm run admin`) a link that signs in to the dashboard with it.
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { onPinnedNode } from "./bootstrap.mjs";
import { Failure } from "./lib.mjs";

console.log = console.error;
await onPinnedNode(async () => {
  let options;
  try {
    options = parseArgs({ options: { email: { type: "string" }, service: { type: "string" }, hours: { type: "string", default: "24" }, link: { type: "boolean" } } }).values;
  } catch (error) {
    throw new Failure(`${error.message}\nUsage: npm run -s admin-token -- [--email ada@example.org | --service ci] [--hours 24]`);
  }
  const hours = Number(options.hours);
  if (!(hours > 0 && hours <= 720)) throw new Failure("--hours must be a number from 0 to 720");
  const { claimsOf, signed } = await import("./issuer.mjs");
  const { ISSUER, localSecrets } = await import("./local.mjs");
  await localSecrets();
  const issuer = JSON.parse(readFileSync(ISSUER, "utf8"));
  const token = signed(issuer, claimsOf({ email: options.email, service: options.service, lifetime: Math.round(hours * 3600) }));
  process.stdout.write(options.link ? `http://localhost:${process.env.PORT ?? "8787"}/admin/sign-in#${token}\n` : `${token}\n`);
});
