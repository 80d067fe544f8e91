// Puts the registry's first variants into D1 and KV. Rows that exist and a newer snapshot are left alone.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Failure, root } from "./lib.mjs";

export const SEED = "shared/core/seed/registry.json";
const POINTER = "registry:current";

const column = (value) => (typeof value === "object" && value !== null ? JSON.stringify(value) : value);

async function fillTable(db, variants) {
  const { results } = await db.prepare("SELECT name FROM pragma_table_info('variants')").all();
  const columns = new Set(results.map((row) => row.name));
  if (columns.size === 0) {
    console.log("  D1 has no table variants yet: only KV is filled");
    return 0;
  }
  const statements = variants.map(({ rollout_percent, ...rest }) => {
    // The table counts in basis points, so that no share is a rounding away from another.
    const variant = { ...rest, rollout_basis_points: Math.round(rollout_percent * 100) };
    const names = Object.keys(variant);
    const unknown = names.filter((name) => !columns.has(name));
    if (unknown.length > 0) throw new Failure(`${SEED}: table variants has no column ${unknown.join(", ")}`);
    return db.prepare(`INSERT INTO variants (${names.join(", ")}) VALUES (${names.map(() => "?").join(", ")}) ON CONFLICT DO NOTHING`)
      .bind(...names.map((name) => column(variant[name])));
  });
  const done = await db.batch(statements);
  return done.reduce((sum, one) => sum + one.meta.changes, 0);
}

async function publish(kv, seed, text) {
  const current = await kv.get(POINTER, "json");
  const key = `snapshot:${seed.version}`;
  if (current && (current.version > seed.version || current.key !== key)) return `version ${current.version} stays`;
  // The snapshot first: a pointer must never name a key that is not there.
  await kv.put(key, text);
  await kv.put(POINTER, JSON.stringify({ version: seed.version, key }));
  return `version ${seed.version} published`;
}

/** Seeds the local state in `persist`. */
export async function seed(persist) {
  const { getPlatformProxy } = await import("wrangler");
  const text = readFileSync(join(root, SEED), "utf8");
  const registry = JSON.parse(text);
  // The admin Worker's configuration has the same database and namespace, and no Durable Objects to complain about.
  const platform = await getPlatformProxy({ configPath: join(root, "workers/admin/wrangler.toml"), persist: { path: join(persist, "v3") }, remoteBindings: false });
  try {
    const rows = await fillTable(platform.env.DB, registry.variants);
    const published = await publish(platform.env.REGISTRY, registry, text);
    console.log(`  ${rows} new of ${registry.variants.length} variants; ${published}`);
  } finally {
    await platform.dispose();
  }
}
