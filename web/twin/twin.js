// The twin's page: choose or upload a persona, talk with it, share it. A link's part after # never reaches a server's log:
// it is sent in requests only.
const $ = (id) => document.getElementById(id);
let link = decodeURIComponent(location.hash.slice(1));
let session;
let twins = [];

/** An element with a text; what people and models say is never read as HTML. */
function made(tag, text, className = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  if (className) element.className = className;
  return element;
}

async function api(method, path, body, type = "application/json") {
  const response = await fetch(`/api${path}`, {
    method, headers: body === undefined ? {} : { "content-type": type }, body: body !== undefined && type === "application/json" && typeof body !== "string" ? JSON.stringify(body) : body,
  });
  if (response.status === 204) return null;
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(answer.detail ?? answer.title ?? `HTTP ${response.status}`);
  return answer;
}

/** Runs work and shows its fault where it happened. */
async function shown(place, work) {
  place.textContent = "";
  try {
    return await work();
  } catch (error) {
    place.textContent = error.message;
    return undefined;
  }
}

function add(role, text) {
  const line = made("li", text, role);
  $("talk").append(line);
  line.scrollIntoView({ block: "end" });
  return line;
}

const chosen = () => twins.find(({ twin_id }) => twin_id === $("twins").value);

function begin(name, greeting) {
  session = undefined;
  $("talk").replaceChildren();
  $("name").textContent = name;
  document.title = name;
  if (greeting) add("heard", greeting);
}

async function choose() {
  const twin = chosen();
  for (const id of ["share"]) $(id).disabled = !twin;
  const whole = twin && await shown($("fault"), () => api("GET", `/twins/${twin.twin_id}`));
  begin(twin?.name ?? "Twin", whole?.greeting);
}

async function list(select) {
  twins = await api("GET", "/twins").then((answer) => answer.twins).catch(() => []);
  const options = [new Option("The twin of this place", ""), ...twins.map(({ twin_id, name }) => new Option(name, twin_id))];
  $("twins").replaceChildren(...options);
  if (select) $("twins").value = select;
  await choose();
}

/** Reads an event stream of ours part by part. */
async function* partsOf(response) {
  let text = "";
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
    text += piece;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const data = /^data: (.*)$/m.exec(text.slice(0, end))?.[1];
      text = text.slice(end + 2);
      if (data && data !== "[DONE]") yield JSON.parse(data);
    }
  }
}

/** Help in the person's region, as the gate gives it. */
function help({ text, resources }) {
  if (resources.length === 0) return;
  const care = add("care", text ?? "");
  const emergency = resources.find((resource) => resource.emergency)?.emergency;
  const call = (number, label) => {
    const line = made("p", "");
    const anchor = made("a", label);
    anchor.href = `tel:${number}`;
    line.append(anchor);
    return line;
  };
  if (emergency) care.append(call(emergency, `Emergency: ${emergency}`));
  for (const { name, dial, channel, keyword, hours, url } of resources) {
    if (dial && channel === "call") care.append(call(dial, `${name}: ${dial} (${hours})`));
    else if (dial) care.append(made("p", `${name}: text ${keyword ? `${keyword} to ` : ""}${dial} (${hours})`));
    else if (url) {
      const anchor = made("a", name);
      anchor.href = url;
      anchor.rel = "noreferrer";
      care.append(anchor);
    }
  }
}

async function say(message) {
  const body = { message, stream: true, timezone: Intl.DateTimeFormat().resolvedOptions().timeZone, ...(session ? { session_id: session } : link ? { share: link } : chosen() ? { twin: chosen().twin_id } : {}) };
  const response = await fetch("/api/chat", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}));
    throw new Error(problem.detail ?? problem.title ?? `HTTP ${response.status}`);
  }
  session = response.headers.get("x-session-id");
  const line = add("heard", "");
  for await (const part of partsOf(response)) {
    if (part.type === "text-delta") line.textContent += part.delta;
    if (part.type === "reset-step") line.textContent = "";
    if (part.type === "data-safety") help(part.data);
    if (part.type === "error") throw new Error(part.errorText);
  }
}

$("say").addEventListener("submit", async (event) => {
  event.preventDefault();
  const message = $("message").value;
  if (!message.trim()) return;
  $("message").value = "";
  add("said", message);
  $("say").querySelector("button").disabled = true;
  await shown($("fault"), () => say(message));
  $("say").querySelector("button").disabled = false;
});
$("message").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    $("say").requestSubmit();
  }
});

$("twins").addEventListener("change", choose);
$("edit").addEventListener("click", async () => {
  const twin = chosen();
  $("source").value = twin ? (await shown($("fault"), () => api("GET", `/twins/${twin.twin_id}`)))?.source ?? "" : "";
  $("file").value = "";
  $("editor-fault").textContent = "";
  for (const id of ["save", "delete"]) $(id).disabled = !twin;
  for (const id of ["json", "png"]) {
    $(id).hidden = !twin;
    if (twin) $(id).href = `/api/twins/${twin.twin_id}/export?format=${id}`;
  }
  $("editor").showModal();
});

async function save(path, method) {
  const file = $("file").files[0];
  const source = $("source").value;
  const isCard = source.trimStart().startsWith("{");
  const ending = file?.name.split(".").pop().toLowerCase();
  const type = file ? ({ png: "image/png", json: "application/json", md: "text/markdown" }[ending] ?? "text/plain") : isCard ? "application/json" : "text/plain";
  const saved = await shown($("editor-fault"), async () => api(method, path, file ? await file.arrayBuffer() : source, type));
  if (!saved) return;
  $("editor").close();
  await list(saved.twin_id);
}
$("save").addEventListener("click", () => save(`/twins/${chosen().twin_id}`, "PUT"));
$("save-new").addEventListener("click", () => save("/twins", "POST"));
$("delete").addEventListener("click", async () => {
  if (!confirm("Delete this twin, its links and what it remembers?")) return;
  await shown($("editor-fault"), async () => {
    await api("DELETE", `/twins/${chosen().twin_id}`);
    $("editor").close();
    await list();
  });
});

async function links() {
  const path = `/twins/${chosen().twin_id}/shares`;
  const { shares } = await api("GET", path);
  $("shares").replaceChildren(...shares.filter(({ active }) => active).map(({ share_id, url, expires_at }) => {
    const item = made("li", "");
    const anchor = made("a", `until ${expires_at.slice(0, 10)}`);
    anchor.href = url;
    const copy = made("button", "Copy");
    copy.type = "button";
    copy.addEventListener("click", () => navigator.clipboard.writeText(url));
    const revoke = made("button", "Take back", "danger");
    revoke.type = "button";
    revoke.addEventListener("click", () => shown($("fault"), async () => { await api("DELETE", `${path}/${share_id}`); await links(); }));
    item.append(anchor, copy, revoke);
    return item;
  }));
}
$("share").addEventListener("click", () => shown($("fault"), async () => { await links(); $("links").showModal(); }));
$("new-link").addEventListener("click", () => shown($("fault"), async () => { await api("POST", `/twins/${chosen().twin_id}/shares`, {}); await links(); }));

async function remembered() {
  const { facts } = await api("GET", "/memory").catch(() => ({ facts: [] }));
  $("remembered").replaceChildren(...facts.map(({ fact_id, kind, value, source }) => {
    const item = made("li", "");
    item.append(made("span", `${kind}: ${value}`), made("small", source.event_id, "note"));
    const forget = made("button", "Forget", "danger");
    forget.type = "button";
    forget.addEventListener("click", () => shown($("fault"), async () => { await api("DELETE", `/memory/${fact_id}`); await remembered(); }));
    item.append(forget);
    return item;
  }));
  if (facts.length === 0) $("remembered").append(made("li", "Nothing yet."));
}
$("memory").addEventListener("click", () => shown($("fault"), async () => { await remembered(); $("facts").showModal(); }));

async function open() {
  if (!link) return list();
  // A visitor: no choosing and no editing, only talking.
  for (const id of ["twins", "edit", "share"]) $(id).hidden = true;
  const twin = await shown($("fault"), () => api("GET", `/shared/${encodeURIComponent(link)}`));
  begin(twin?.name ?? "This link has ended", twin?.greeting);
  $("say").hidden = !twin;
}
addEventListener("hashchange", () => { link = decodeURIComponent(location.hash.slice(1)); location.reload(); });
await open();
