// A development issuer: real tokens with real keys, in the place of Cloudflare Access. No deployed Worker accepts them.
import { createPrivateKey, createPublicKey, generateKeyPairSync, randomUUID, sign } from "node:crypto";

/** What the admin Worker expects of the local issuer (shared/edge/src/access/config.rs). */
export const DEVELOPMENT = { iss: "https://development.invalid", aud: ["silent-infinity-development"] };

/** A new signing key, as a private JWK. */
export function newIssuer() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), kid: randomUUID(), alg: "RS256", use: "sig" };
}

/** The key set that verifies the tokens of these issuers. */
export const publicKeys = (...issuers) => ({
  keys: issuers.map((issuer) => ({
    ...createPublicKey(createPrivateKey({ key: issuer, format: "jwk" })).export({ format: "jwk" }), kid: issuer.kid, alg: "RS256", use: "sig",
  })),
});

const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Signs claims (RS256), with another header where a test wants one. */
export function signed(issuer, claims, header = {}) {
  const body = `${part({ alg: "RS256", kid: issuer.kid, typ: "JWT", ...header })}.${part(claims)}`;
  return `${body}.${sign("sha256", Buffer.from(body), createPrivateKey({ key: issuer, format: "jwk" })).toString("base64url")}`;
}

/** The claims that Access gives a person, or a service token. */
export function claimsOf({ email = "dev@localhost", service, groups = ["admins"], amr = ["pwd", "mfa"], lifetime = 86_400, ...rest } = {}) {
  const now = Math.floor(Date.now() / 1000);
  const who = service ? { common_name: service, sub: "" } : { email, sub: `dev|${email}`, groups, amr };
  return { ...DEVELOPMENT, iat: now, nbf: now, exp: now + lifetime, type: "app", ...who, ...rest };
}
