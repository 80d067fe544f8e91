// Who is let into the admin API: real tokens with real keys against the shipped Worker, forged in every way we know.
import assert from "node:assert/strict";
import { createHmac, createPublicKey } from "node:crypto";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { claimsOf, newIssuer, publicKeys, signed } from "../../scripts/issuer.mjs";
import { sleep, startStack } from "../stack.mjs";

const AUD = "0123456789abcdef";
let team, stack, url;
// A team's domain, as Access serves it; which keys it publishes can change.
let published = [], asked = 0, isAway = false;
const issuer = newIssuer(), next = newIssuer(), foreign = newIssuer();

before(async () => {
  published = [issuer];
  team = createServer((request, response) => {
    asked++;
    response.writeHead(isAway ? 503 : request.url === "/cdn-cgi/access/certs" ? 200 : 404, { "content-type": "application/json" });
    response.end(JSON.stringify({ ...publicKeys(...published), public_cert: {}, public_certs: [] }));
  });
  await new Promise((resolve) => team.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${team.address().port}`;
  stack = await startStack({ adminVars: { ACCESS_ISSUER: url, ACCESS_AUD: AUD } });
});
after(async () => { await stack.close(); team.close(); });

const claims = (change = {}) => claimsOf({ email: "Ada@Example.org", iss: url, aud: [AUD], ...change });
const ask = (token, headers = {}) => fetch(`${stack.url}/admin/v1/me`, { headers: { ...(token === undefined ? {} : { "cf-access-jwt-assertion": token }), ...headers } });
const now = () => Math.floor(Date.now() / 1000);

test("a person and a service token come in, by header or by cookie", async () => {
  assert.deepEqual(await (await ask(signed(issuer, claims()))).json(), { id: "ada@example.org", kind: "user", groups: ["admins"] });
  const { iat, exp, nbf } = claims();
  const robot = signed(issuer, { iss: url, aud: AUD, iat, exp, nbf, type: "app", common_name: "ci.access", sub: "" });
  assert.deepEqual(await (await ask(robot)).json(), { id: "service:ci.access", kind: "service", groups: [] });
  assert.equal((await ask(undefined, { cookie: `a=b; CF_Authorization=${signed(issuer, claims())}` })).status, 200);
});

test("nothing else does, and nothing is processed before that", async () => {
  const good = signed(issuer, claims());
  const [head, body, signature] = good.split(".");
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const pem = createPublicKey({ key: publicKeys(issuer).keys[0], format: "jwk" }).export({ type: "spki", format: "pem" });
  const hmac = `${part({ alg: "HS256", kid: issuer.kid })}.${body}`;
  const forged = {
    "no token": undefined,
    "not a token": "x",
    "alg none": `${part({ alg: "none", kid: issuer.kid })}.${body}.`,
    "alg None with a signature": `${part({ alg: "None", kid: issuer.kid })}.${body}.${signature}`,
    "the public key as an HMAC secret": `${hmac}.${createHmac("sha256", pem).update(hmac).digest("base64url")}`,
    "another's claims under a good signature": `${head}.${part({ ...claims(), email: "eve@example.org" })}.${signature}`,
    "signed by another key of the same id": signed({ ...foreign, kid: issuer.kid }, claims()),
    "signed by a key that the team does not have": signed(foreign, claims()),
    "a key that the token brings along": signed(foreign, claims(), { jwk: publicKeys(foreign).keys[0], kid: undefined }),
    "no key id": signed(issuer, claims(), { kid: undefined }),
    "half a signature": good.slice(0, -40),
    expired: signed(issuer, claims({ exp: now() - 60 })),
    "without an end": signed(issuer, claims({ exp: undefined })),
    "not valid yet": signed(issuer, claims({ nbf: now() + 120 })),
    "another audience": signed(issuer, claims({ aud: ["another"] })),
    "no audience": signed(issuer, claims({ aud: undefined })),
    "another issuer": signed(issuer, claims({ iss: "https://other.cloudflareaccess.com" })),
    "nobody": signed(issuer, { ...claims(), email: undefined }),
  };
  for (const [what, token] of Object.entries(forged)) {
    const response = await ask(token);
    assert.equal(response.status, 401, what);
    assert.match((await response.json()).type, /\/unauthorized$/, what);
  }
  // The path, the method and the body do not matter to somebody unknown.
  for (const [method, path] of [["GET", "/admin/v1/nothing"], ["PUT", "/admin/v1/variants"], ["POST", "/admin/v1/kill-switch"], ["GET", "/admin/health/x"]]) {
    const response = await fetch(stack.url + path, { method, body: method === "GET" ? undefined : "{" });
    assert.equal(response.status, 401, `${method} ${path}`);
  }
  assert.equal((await stack.rows("SELECT count(*) AS n FROM audit_log"))[0].n, 0);
});

test("the wrong group and a single factor are told why", async () => {
  for (const [change, why] of [[{ groups: ["staff"] }, /admin groups/], [{ groups: undefined }, /admin groups/], [{ amr: ["pwd"] }, /second factor/], [{ amr: undefined }, /second factor/]]) {
    const response = await ask(signed(issuer, { ...claims(), ...change }));
    assert.equal(response.status, 403);
    assert.match((await response.json()).detail, why);
  }
});

test("keys rotate, are asked for rarely, and the last ones serve while the team's domain is away", async () => {
  const before = asked;
  await Promise.all(Array.from({ length: 20 }, () => ask(signed(issuer, claims()))));
  assert.equal(asked, before, "known keys are not asked for again");
  await Promise.all(Array.from({ length: 20 }, (_, n) => ask(signed({ ...foreign, kid: `made-up-${n}` }, claims()))));
  assert.ok(asked <= before + 1, "made-up key ids do not become requests");
  published = [issuer, next];
  await sleep(10_100);
  assert.equal((await ask(signed(next, claims()))).status, 200, "the new key");
  assert.equal((await ask(signed(issuer, claims()))).status, 200, "the old one, for its last days");
  isAway = true;
  assert.equal((await ask(signed(next, claims()))).status, 200);
  isAway = false;
});

test("a page of another origin cannot use an admin's cookie", async () => {
  const cookie = `CF_Authorization=${signed(issuer, claims())}`;
  assert.equal((await ask(undefined, { cookie, origin: "https://evil.example" })).status, 403);
  assert.equal((await ask(undefined, { cookie, origin: stack.url })).status, 200);
});

test("the dashboard's page is for admins; on a developer's machine others are shown where to sign in", async () => {
  for (const path of ["/admin", "/admin/", "/admin/variants/LLM_MODEL"]) {
    const shown = await fetch(stack.url + path, { headers: { "cf-access-jwt-assertion": signed(issuer, claims()) } });
    assert.equal(shown.status, 200);
    assert.match(shown.headers.get("content-type"), /^text\/html/);
    assert.equal(shown.headers.get("x-frame-options"), "DENY");
    const sent = await fetch(stack.url + path, { redirect: "manual" });
    assert.deepEqual([sent.status, new URL(sent.headers.get("location")).pathname], [302, "/admin/sign-in"]);
  }
  assert.match(await (await fetch(`${stack.url}/admin/sign-in`)).text(), /npm run admin/);
});

test("the development issuer cannot be enabled in a deployed environment", async () => {
  for (const adminVars of [{ ENVIRONMENT: "production" }, { ENVIRONMENT: "production", ACCESS_ISSUER: url, ACCESS_AUD: AUD }, { ENVIRONMENT: "" }]) {
    const deployed = await startStack({ adminVars });
    try {
      const response = await fetch(`${deployed.url}/admin/v1/me`, { headers: { "cf-access-jwt-assertion": deployed.admin().token } });
      assert.equal(response.status, 500, JSON.stringify(adminVars));
      assert.match((await response.json()).type, /\/internal$/);
    } finally {
      await deployed.close();
    }
  }
});
