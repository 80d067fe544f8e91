// `npm run deploy`: release build, D1 migrations and the four Workers to Cloudflare; `--dry-run` uploads nothing.
// Before the first time: `npx wrangler login`, create the database, namespace, bucket and queues, put their ids into
// [env.production] of wrangler.toml and workers/admin/wrangler.toml, and set the secrets named there.
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { onPinnedNode } from "./bootstrap.mjs";
import { Failure, bin, probe, root, run, step } from "./lib.mjs";

const ENV = ["--env", "production"];
const CREATE = ["wrangler d1 create silent-infinity", "wrangler kv namespace create REGISTRY", "wrangler r2 bucket create silent-infinity",
  "wrangler queues create turn-events", "wrangler queues create turn-events-dead"];

/** Deploys one Worker. */
const put = (config, dry) => step(`Deploy ${config}`, {}, () => run(bin("wrangler"), ["deploy", "-c", config, ...ENV, ...(dry ? ["--dry-run"] : [])]));

await onPinnedNode(async () => {
  const dry = process.argv.includes("--dry-run");
  const { buildWeb } = await import("./web.mjs");
  const { buildWorkers } = await import("./build.mjs");
  const { sizes } = await import("./size.mjs");
  await buildWeb();
  await buildWorkers({ release: true });
  sizes();
  const unset = ["wrangler.toml", "workers/admin/wrangler.toml", "workers/voice/wrangler.toml"].filter((file) => readFileSync(join(root, file), "utf8").includes("YOUR-"));
  if (unset.length > 0 && !dry) {
    throw new Failure(`${unset.join(" and ")}: put the ids of your resources into [env.production]. To create them:\n  ${CREATE.map((line) => `npx ${line}`).join("\n  ")}`);
  }
  if (!dry) {
    await step("D1 migrations", {}, () => run(bin("wrangler"), ["d1", "migrations", "apply", "DB", "--remote", ...ENV]));
    // Chat and voice call each other, and a binding to a Worker that does not exist is refused: the very first voice goes without.
    if (probe(bin("wrangler"), ["deployments", "list", ...ENV], { timeout: 60_000 }) === null) await firstVoice();
  }
  await put("workers/safety/wrangler.toml", dry);
  await put("workers/admin/wrangler.toml", dry);
  await put("wrangler.toml", dry);
  await put("workers/voice/wrangler.toml", dry);
});

async function firstVoice() {
  const config = "workers/voice/wrangler.first.toml";
  const text = readFileSync(join(root, "workers/voice/wrangler.toml"), "utf8");
  writeFileSync(join(root, config), text.replace(/\[\[(env\.production\.)?services\]\]\n(?:[^[\n].*\n)+/g, ""));
  try {
    await put(config, false);
  } finally {
    rmSync(join(root, config));
  }
}
