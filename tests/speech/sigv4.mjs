// Checks signatures of AWS requests, in headers and in queries, from what arrived.
// Source: AWS, "Create a signed AWS API request", "Authenticating requests: using query parameters".
import { createHash, createHmac } from "node:crypto";

const sha256 = (data) => createHash("sha256").update(data).digest("hex");
const hmac = (key, data) => createHmac("sha256", key).update(data).digest();
const encode = (text) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
const SKEW_MS = 300_000;

/** The name of the fault, or null. */
export function fault(call, { accessKeyId, secretAccessKey, sessionToken, region, service, now = Date.now() }) {
  const [path, query = ""] = call.target.split("?");
  const pairs = query.split("&").filter(Boolean).map((pair) => pair.split("=").map((part) => decodeURIComponent(part)));
  const given = Object.fromEntries(pairs);
  const inQuery = "X-Amz-Signature" in given;
  const match = /^AWS4-HMAC-SHA256 Credential=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(call.headers.authorization ?? "");
  if (!inQuery && !match) return "MissingAuthenticationTokenException";
  const [credential, names, signature] = inQuery ? [given["X-Amz-Credential"], given["X-Amz-SignedHeaders"], given["X-Amz-Signature"]] : match.slice(1);
  const stamp = inQuery ? given["X-Amz-Date"] : call.headers["x-amz-date"] ?? "";
  const token = inQuery ? given["X-Amz-Security-Token"] : call.headers["x-amz-security-token"];
  const [id, date, ...scope] = (credential ?? "").split("/");
  if (id !== accessKeyId || (token ?? "") !== (sessionToken ?? "")) return "UnrecognizedClientException";
  if (scope.join("/") !== `${region}/${service}/aws4_request` || !stamp.startsWith(date)) return "InvalidSignatureException";
  const at = Date.parse(stamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  const late = inQuery ? Number(given["X-Amz-Expires"]) * 1000 : SKEW_MS;
  if (!(late <= 604_800_000 && now - at <= late && at - now <= SKEW_MS)) return "InvalidSignatureException";
  const signed = names.split(";");
  if (!signed.includes("host") || (!inQuery && (!signed.includes("x-amz-date") || (token && !signed.includes("x-amz-security-token"))))) return "InvalidSignatureException";
  const canonical = [
    call.method,
    path.split("/").map((part) => encode(part)).join("/"),
    pairs.filter(([name]) => name !== "X-Amz-Signature").map(([name, value = ""]) => `${encode(name)}=${encode(value)}`).sort().join("&"),
    ...signed.map((name) => `${name}:${String(call.headers[name] ?? "").trim().replace(/ +/g, " ")}`),
    "",
    names,
    sha256(call.raw ?? ""),
  ].join("\n");
  const toSign = ["AWS4-HMAC-SHA256", stamp, [date, ...scope].join("/"), sha256(canonical)].join("\n");
  const key = [region, service, "aws4_request"].reduce(hmac, hmac(`AWS4${secretAccessKey}`, date));
  return hmac(key, toSign).toString("hex") === signature ? null : "InvalidSignatureException";
}
