// The admin API fuzzed from its own OpenAPI document: no request makes it fail, and every answer is of the documented form.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { python } from "../../scripts/python.mjs";
import { root, startStack } from "../stack.mjs";

let stack;
before(async () => { stack = await startStack({ adminVars: { COOL_DOWN_MS: "200" } }); });
after(() => stack.close());

const NEEDED = ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance", "negative_data_rejection",
  "missing_required_header", "unsupported_method", "ignored_auth"];

test("schemathesis finds no fault", async () => {
  const tool = join(dirname(await python()), "schemathesis");
  const args = ["--config-file", join(root, "tests/e2e/schemathesis.toml"), "run", `${stack.url}/admin/v1/openapi.json`, "-H", `Cf-Access-Jwt-Assertion: ${stack.admin("fuzz").token}`, "--checks", NEEDED.join(),
    "--max-examples", "15", "--seed", "1", "--workers", "2", "--generation-database", "none", "--no-color", "--continue-on-failure", "--output-sanitize", "true"];
  const child = spawn(tool, args, { cwd: join(root, ".artifacts"), stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => { output += chunk; });
  const code = await new Promise((resolve) => child.once("close", resolve));
  assert.equal(code, 0, output.slice(-40_000));
  // A run that asked nothing would find nothing either.
  const cases = Number(/(\d+) generated/.exec(output)?.[1] ?? /(\d[\d,]*) test cases/.exec(output)?.[1]?.replace(",", ""));
  assert.ok(cases > 500, `only ${cases} cases:\n${output.slice(-3_000)}`);
  assert.equal((await stack.admin().get("/audit/verify")).body.holds, true);
});
