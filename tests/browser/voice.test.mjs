// Talks with a voice in a real browser, whose microphone hears recordings of the mock's tones; the vendors are mocks.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { mockLlm } from "../mock-llm.mjs";
import { startStack, until } from "../stack.mjs";
import { providers } from "../voice.mjs";
import { DESKTOP, PHONE, openBrowser, shot } from "./browser.mjs";
import { audit, open as openPage, say } from "./page.mjs";
import { PATIENT, button, overheard, sound, speakingBrowser, strip, watchSound } from "./voice-page.mjs";

let stack, llm, vendors, quiet;
before(async () => {
  [llm, vendors] = await Promise.all([mockLlm(), providers()]);
  // The first vendor listens, the second speaks, so that one can fail without the other.
  const [[ears], [, mouth]] = [JSON.parse(vendors.vars.STT), JSON.parse(vendors.vars.TTS)];
  stack = await startStack({ vars: { LLM_PROVIDER: "openai", LLM_BASE_URL: llm.url }, voiceVars: { STT: JSON.stringify([ears]), TTS: JSON.stringify([mouth]) }, voiceSecrets: vendors.secrets });
  quiet = await speakingBrowser("quiet", 1);
});
after(async () => { await quiet?.close(); await stack?.close(); await Promise.all([llm?.close(), vendors?.close()]); });

async function open(browser, { viewport = DESKTOP, theme = "dark", language = "en-GB", ...options } = {}) {
  const context = await browser.newContext({ viewport, colorScheme: theme, locale: language, serviceWorkers: "block", ...options });
  await watchSound(context);
  return openPage(browser, stack.url, { context });
}
const said = (page) => page.locator("li.said:not([data-status=forming]) .text").allInnerTexts();
const answer = (page, n) => page.locator("li.heard").nth(n);
const pressed = async (page) => await button(page).getAttribute("aria-pressed") === "true";
const recordings = (page, session) => page.evaluate((path) => fetch(path).then((response) => response.json()).then((body) => body.recordings.length), `/v1/sessions/${session}/recordings`);

test("a person talks by the keyboard alone, interrupts the answer and goes on; with consent both sides are kept until it is taken back", async () => {
  const browser = await speakingBrowser("talk", 1, "river words=80 delay=30", 12, "stopitplease meadow words=3", 8, "forest words=2", 1);
  try {
    const page = await open(browser);
    const messages = overheard(page);
    const scripts = [];
    page.on("request", (request) => { if (request.resourceType() === "script" || /worklet/.test(request.url())) scripts.push(new URL(request.url()).pathname); });

    await page.getByRole("button", { name: "Settings" }).click();
    const consent = page.getByRole("switch", { name: "Keep recordings of what is said" });
    await consent.waitFor();
    assert.equal(await consent.isChecked(), false, "off by default");
    await consent.focus();
    await page.keyboard.press("Space");
    await until("consent", () => page.evaluate(() => fetch("/v1/me/voice-consent").then((response) => response.json()).then((body) => body.store_audio)));
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    assert.ok(!scripts.some((path) => /\/(call|strip|capture)/.test(path)), "nothing of voice is loaded before it is wanted");

    await page.locator(".composer textarea").focus();
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.getAttribute("aria-label")), "Talk with your voice");
    await page.keyboard.press("Enter");
    await strip(page, "listening").waitFor(PATIENT);
    await until("the level of the voice", async () => Number(await page.locator(".water-line").getAttribute("data-level")) > 0.3, PATIENT);
    await shot(page, "voice-listening-desktop-dark");
    await answer(page, 0).getByText("word5.").waitFor(PATIENT);
    assert.deepEqual(await said(page), ["river words=80 delay=30"]);
    await strip(page, "speaking").waitFor(PATIENT);
    await page.locator(".face[data-size=margin][data-state=speaking]").waitFor();
    await until("the voice", async () => await sound(page, "pending") > 0, PATIENT);
    await shot(page, "voice-speaking-desktop-dark");

    // The next words come from the microphone while the answer is still heard.
    await until("the interruption", () => messages.find(({ type, turn }) => type === "flush" && turn === 0), PATIENT);
    await until("silence", async () => await sound(page, "pending") === 0, { timeout: 2_000, every: 10 });
    assert.ok(await sound(page, "stopped") > 0, "blocks that were waiting were dropped");
    await answer(page, 1).getByText("word2.").waitFor(PATIENT);
    assert.equal((await said(page))[1], "stopitplease meadow words=3");
    const remembered = llm.about("meadow").at(-1).ask.messages.filter(({ role }) => role === "assistant").at(-1).content;
    const written = await answer(page, 0).locator(".text").innerText();
    assert.ok(remembered.endsWith("…") && written.startsWith(remembered.slice(0, -1)) && remembered.length < written.length, `${remembered} of ${written}`);
    // The mock takes 0.3 to 0.5 s for a word.
    const { played_ms: played } = messages.findLast(({ type, turn }) => type === "played" && turn === 0);
    const words = remembered.split(" ").length;
    assert.ok(words >= played / 600 - 2 && words <= played / 250 + 2, `${words} words in ${played} ms`);

    await answer(page, 2).getByText("word1.").waitFor(PATIENT);
    assert.equal((await said(page))[2], "forest words=2");
    await until("the end of the answer", () => messages.find(({ type, turn, outcome }) => type === "turn-end" && turn === 2 && outcome === "finished"), PATIENT);
    const session = new URL(page.url()).pathname.split("/").at(-1);
    await until("recordings", async () => await recordings(page, session) >= 2, PATIENT);

    await page.keyboard.press("Escape");
    await until("the end of the talk", async () => !await pressed(page));
    await page.locator(".voice-strip").waitFor({ state: "detached" });
    assert.equal(await sound(page, "open"), 0, "the microphone is off");
    const texts = await page.locator("ol.messages .text").allInnerTexts();
    await page.reload();
    await answer(page, 2).waitFor();
    assert.deepEqual(await page.locator("ol.messages .text").allInnerTexts(), texts, "spoken turns are kept as written ones are");

    await page.getByRole("button", { name: "Settings" }).click();
    await consent.waitFor();
    assert.equal(await consent.isChecked(), true);
    await consent.click();
    await until("recordings to be gone", async () => await recordings(page, session) === 0);
    assert.deepEqual(page.faults, []);
  } finally {
    await browser.close();
  }
});

test("during a talk what is written is answered aloud, a stop is heard at once, and afterwards writing is as before", async () => {
  const page = await open(quiet, { viewport: PHONE, theme: "light" });
  const messages = overheard(page);
  await button(page).click();
  await strip(page, "idle").waitFor(PATIENT);
  await say(page, "a long walk words=80 delay=20");
  await strip(page, "speaking").waitFor(PATIENT);
  await until("the voice", async () => await sound(page, "pending") > 0, PATIENT);
  await page.locator(".face[data-size=small][data-state=speaking]").waitFor();
  await shot(page, "voice-speaking-phone-light");
  const { serious } = await audit(page);
  assert.deepEqual(serious, []);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "no sideways scrolling");
  await page.getByRole("button", { name: "Stop" }).click();
  assert.equal(await sound(page, "pending"), 0);
  await until("the end of the turn", () => messages.find(({ type, outcome }) => type === "turn-end" && outcome === "stopped"), PATIENT);
  await strip(page, "idle").waitFor(PATIENT);
  await shot(page, "voice-idle-phone-light");
  await button(page).click();
  await until("the microphone to be off", async () => await sound(page, "open") === 0);
  await say(page, "written again words=2");
  await answer(page, 1).getByText("word1.").waitFor(PATIENT);
  assert.deepEqual(await said(page), ["a long walk words=80 delay=20", "written again words=2"]);
  await page.getByRole("button", { name: "Answer again" }).waitFor();
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test("a lost connection loses neither words nor sound, and no block is heard twice", async () => {
  const page = await open(quiet);
  const [queries, blocks] = [[], []];
  let cut;
  await page.routeWebSocket(/\/live\?/, (ws) => {
    queries.push(new URL(ws.url()).searchParams);
    const server = ws.connectToServer();
    let isCut = false;
    ws.onMessage((message) => { if (!isCut) server.send(message); });
    server.onMessage((message) => {
      if (typeof message !== "string") blocks.push(message.readUInt32LE(4));
      ws.send(message);
    });
    cut = () => {
      isCut = true;
      return Promise.all([ws.close({ code: 3_000 }), server.close({ code: 3_000 })]);
    };
  });
  await button(page).click();
  await strip(page, "idle").waitFor(PATIENT);
  await say(page, "tunnel words=30 delay=80");
  await until("some sound", () => blocks.length >= 5, PATIENT);
  await cut();
  await until("another connection", () => queries.length === 2, PATIENT);
  assert.equal(queries[1].get("turn"), "0");
  assert.ok(Number(queries[1].get("received")) >= 5, String(queries[1]));
  await answer(page, 0).getByText("word29.").waitFor(PATIENT);
  await strip(page, "idle").waitFor(PATIENT);
  const text = await answer(page, 0).locator(".text").innerText();
  for (let n = 0; n < 30; n++) assert.equal(text.split(`word${n}.`).length, 2, `word${n} once`);
  assert.equal(await sound(page, "started"), new Set(blocks).size);
  assert.equal(await sound(page, "stopped"), 0, "nothing was silenced");
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test("consent that is taken back during a talk holds from that turn on", async () => {
  const page = await open(quiet);
  const messages = overheard(page);
  const session = new URL(page.url()).pathname.split("/").at(-1);
  const consent = (keep) => page.evaluate((store_audio) => fetch("/v1/me/voice-consent", { method: "PUT", headers: { "content-type": "application/json" }, body: JSON.stringify({ store_audio }) }).then((response) => response.status), keep);
  const turn = async (number) => {
    await say(page, `consent ${number} words=1`);
    return (await until(`turn ${number}`, () => messages.find(({ type, turn }) => type === "turn-end" && turn === number), PATIENT)).turn_id;
  };
  const kept = () => page.evaluate((path) => fetch(path).then((response) => response.json()).then((body) => body.recordings.map(({ turn_id }) => turn_id)), `/v1/sessions/${session}/recordings`);
  assert.equal(await consent(true), 200);
  await button(page).click();
  await strip(page, "idle").waitFor(PATIENT);
  const first = await turn(0);
  await until("its recording", async () => (await kept()).includes(first), PATIENT);
  assert.equal(await consent(false), 200);
  assert.deepEqual(await kept(), []);
  const second = await turn(1);
  assert.equal(await consent(true), 200);
  const third = await turn(2);
  await until("the third's recording", async () => (await kept()).includes(third), PATIENT);
  assert.ok(!(await kept()).some((id) => id === first || id === second));
  await page.context().close();
});

test("words are seen while they are said, and become a message when they are", async () => {
  const page = await open(quiet, { viewport: PHONE });
  let tell;
  await page.routeWebSocket(/\/live\?/, (ws) => {
    tell = (...messages) => messages.forEach((message) => ws.send(JSON.stringify(message)));
    tell({ type: "ready", resumed: false, turn: null });
  });
  await button(page).click();
  await strip(page, "idle").waitFor(PATIENT);
  tell({ type: "state", state: "listening" }, { type: "transcript", utterance: 0, text: "The rain", final: true }, { type: "transcript", utterance: 0, text: "kept me", final: false });
  const forming = page.locator("li.said[data-status=forming] .text");
  await forming.getByText("The rain kept me").waitFor();
  await shot(page, "voice-caption-phone-dark");
  const { serious } = await audit(page);
  assert.deepEqual(serious, []);
  tell({ type: "transcript", utterance: 0, text: "kept me awake.", final: true }, { type: "turn", turn: 0, text: "The rain kept me awake." }, { type: "state", state: "thinking" });
  await forming.waitFor({ state: "detached" });
  assert.deepEqual(await said(page), ["The rain kept me awake."]);
  await page.locator(".face[data-size=small][data-state=thinking]").waitFor();
  tell({ type: "text", turn: 0, delta: "It was " }, { type: "text", turn: 0, delta: "loud." });
  await answer(page, 0).getByText("It was loud.").waitFor();
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test("leaving ends the microphone at once, also without a network", async () => {
  const page = await open(quiet);
  await button(page).click();
  await strip(page, "idle").waitFor(PATIENT);
  assert.equal(await sound(page, "open"), 1);
  await page.context().setOffline(true);
  await until("an empty page", async () => {
    // Without waiting for the page between them, as a person would not.
    await Promise.all([page.keyboard.press("Escape"), page.keyboard.press("Escape")]);
    return await page.evaluate(() => document.body.childElementCount) === 0;
  });
  assert.equal(await sound(page, "open"), 0);
  await page.context().close();
});

test("a microphone that is forbidden or missing, a voice that is away, and none at all are told in words", async () => {
  const denying = await openBrowser(["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream=deny"]);
  try {
    const page = await open(denying, { language: "de-DE" });
    await button(page, "Mit der Stimme sprechen").click();
    await page.getByText("Das Mikrofon ist für diese Seite gesperrt.").waitFor(PATIENT);
    assert.equal(await button(page, "Mit der Stimme sprechen").getAttribute("aria-pressed"), "false");
    await shot(page, "voice-denied-desktop-german");
    const { serious } = await audit(page);
    assert.deepEqual(serious, []);
    await page.getByRole("alert").getByRole("button", { name: "Schließen" }).click();
    await page.getByRole("alert").waitFor({ state: "detached" });
    assert.deepEqual(page.faults, []);
  } finally {
    await denying.close();
  }

  const deaf = await open(quiet);
  await deaf.evaluate(() => { navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", "NotFoundError")); });
  await button(deaf).click();
  await deaf.getByText("No microphone was found.").waitFor(PATIENT);
  await deaf.context().close();

  const away = await open(quiet);
  await away.routeWebSocket(/\/live\?/, (ws) => ws.close({ code: 3_000 }));
  await button(away).click();
  await away.getByText("The voice cannot be reached right now. Writing works.").waitFor(PATIENT);
  assert.equal(await sound(away, "open"), 0);
  await say(away, "still here words=2");
  await answer(away, 0).getByText("word1.").waitFor(PATIENT);
  await away.context().close();

  const without = await quiet.newContext({ serviceWorkers: "block" });
  await without.route("**/v1/health", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...await response.json(), voice: { hears: false, speaks: false } } });
  });
  const page = await openPage(quiet, stack.url, { context: without });
  await say(page, "no voice words=1");
  await answer(page, 0).getByText("word0.").waitFor(PATIENT);
  assert.equal(await button(page).count(), 0);
  await page.getByRole("button", { name: "Settings" }).click();
  await page.getByRole("heading", { name: "Your data" }).waitFor();
  assert.equal(await page.getByRole("switch").count(), 0);
  await without.close();
});

test("axe finds nothing serious in a talk, in both themes, from right to left, and where motion is unwanted", async () => {
  for (const [language, viewport, theme, name] of [["ar-EG", PHONE, "dark", "تحدّث بصوتك"], ["ja-JP", DESKTOP, "light", "声で話す"]]) {
    const page = await open(quiet, { viewport, theme, language, reducedMotion: "reduce" });
    await button(page, name).click();
    await strip(page, "idle").waitFor(PATIENT);
    await say(page, "calm words=60 delay=5");
    await strip(page, "speaking").waitFor(PATIENT);
    await until("its level", async () => Number(await page.locator(".water-line").getAttribute("data-level")) > 0.1, PATIENT);
    await shot(page, `voice-speaking-${language}-${theme}`);
    const { serious } = await audit(page);
    assert.deepEqual(serious, [], language);
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "no sideways scrolling");
    await page.context().close();
  }
  const page = await open(quiet, { viewport: PHONE, theme: "light" });
  await page.goto(`${stack.url}/settings`);
  const consent = page.getByRole("switch");
  await consent.scrollIntoViewIfNeeded();
  await shot(page, "voice-settings-phone-light");
  const { serious } = await audit(page);
  assert.deepEqual(serious, []);
  await page.context().close();
});

// The last one: a vendor that fails is not asked again for a while.
test("a crisis in speech shows people who can help, also where the voice fails", async () => {
  const browser = await speakingBrowser("crisis", 1, "I want to kill myself tonight heron", 1);
  try {
    const page = await open(browser, { viewport: PHONE });
    // The region that a person chose counts also where no header can say it.
    await page.evaluate(() => localStorage.setItem("si-country", "DE"));
    vendors.second.fail(...Array(40).fill({ status: 400 }));
    await button(page).click();
    const card = page.getByRole("region", { name: "Support" });
    await card.waitFor(PATIENT);
    await card.getByText("TelefonSeelsorge").first().waitFor();
    assert.ok(await card.locator("a[href='tel:112']").count() > 0);
    await page.getByText("The voice fails right now. The answer is written here.").waitFor(PATIENT);
    assert.deepEqual(await said(page), ["I want to kill myself tonight heron"]);
    assert.ok((await answer(page, 0).locator(".text").innerText()).length > 40, "its text is there");
    assert.equal(llm.about("heron").length, 0);
    await shot(page, "voice-crisis-phone-dark");
    const { serious } = await audit(page);
    assert.deepEqual(serious, []);
    assert.deepEqual(page.faults, []);
  } finally {
    vendors.second.forgive();
    await browser.close();
  }
});
