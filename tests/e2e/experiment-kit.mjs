// What experiments are tested with: sessions of two arms, a receiver of webhooks that fails on request, and the admin's requests.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { Webhook } from "standardwebhooks";
import { people } from "../events.mjs";

export const SECRET = `whsec_${Buffer.alloc(24, 9).toString("base64")}`;

export const ok = (answer, status = 200) => {
  assert.equal(answer.status, status, JSON.stringify(answer.body));
  return answer.body;
};
export const refused = (answer, status, slug) => {
  assert.equal(answer.status, status, JSON.stringify(answer.body));
  assert.equal(answer.headers.get("content-type"), "application/problem+json");
  assert.match(answer.body.type, new RegExp(`/${slug}$`));
  return answer.body;
};

/** A server for Slack's and the signed webhook. `fail` says how many requests of a path are refused before one is taken. */
export async function receiver() {
  const heard = [], fail = { "/slack": 0, "/hook": 0 };
  const verifier = new Webhook(SECRET);
  const server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    const entry = { path: request.url, headers: request.headers, body: JSON.parse(body), at: Date.now(), accepted: fail[request.url] <= 0, verified: null };
    if (request.url === "/hook") {
      // The receiver's own library: it throws where id, time or body are not what was signed.
      try { entry.verified = verifier.verify(body, request.headers); } catch (error) { entry.verified = error; }
    }
    fail[request.url]--;
    heard.push(entry);
    response.writeHead(entry.accepted ? 200 : 503).end("ok");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  return {
    url, heard, fail,
    secrets: { ALERT_SLACK_URL: `${url}/slack`, ALERT_WEBHOOK_URL: `${url}/hook`, ALERT_WEBHOOK_SECRET: SECRET },
    taken: (kind, path = "/hook") => heard.filter((one) => one.path === path && one.accepted && (kind === undefined || one.body.type === `alert.${kind}`)),
    close: () => { server.closeAllConnections(); server.close(); },
  };
}

/** Messages of `count` sessions of each arm, one turn and one rating each, half an hour of them. */
export function experiment(seed, category, [control, treatment], { count = 620, change = () => ({}), at = Date.now() - 1_800_000 } = {}) {
  const crowd = people(seed, { turns: [1, 2], back: 0 });
  const messages = [];
  for (let n = 0; n < 2 * count; n++) {
    const variant = n % 2 === 0 ? control : treatment;
    const [created, turn] = crowd.next(at + n * 500);
    const { satisfaction = 700, ...event } = { ...(variant === treatment ? change(n) : {}) };
    Object.assign(turn.event, {
      status: "done", error: null, total_ms: 900 + (n % 100), cost_micros: 1_000 + (n % 7) * 10, reasons: {},
      crisis_override: false, crisis_level: 0, provider: "anthropic", variants: { [category]: variant }, ...event,
    });
    messages.push(created, turn, {
      type: "feedback", event_id: turn.event.event_id, session_id: turn.event.session_id, person_id: turn.event.person_id,
      satisfaction_milli: satisfaction + (n % 50), at_ms: turn.event.accepted_at_ms + 1_000,
    });
  }
  return messages;
}

export const post = async (queue, messages) => {
  for (let at = 0; at < messages.length; at += 90) {
    await queue.sendBatch(messages.slice(at, at + 90).map((message) => ({ body: JSON.stringify(message), contentType: "json" })));
  }
};
