// Every variant of the interface, forced into what the server says of the session, looks and works as its own form.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { mockLlm } from "../mock-llm.mjs";
import { startStack, until } from "../stack.mjs";
import { DESKTOP, PHONE, openBrowser, shot } from "./browser.mjs";
import { composer, finished, open as openPage, say, variants } from "./page.mjs";

let stack, llm, browser;
before(async () => {
  llm = await mockLlm();
  stack = await startStack({ vars: { LLM_PROVIDER: "openai", LLM_BASE_URL: llm.url } });
  browser = await openBrowser();
});
after(async () => { await browser?.close(); await stack?.close(); await llm?.close(); });

const open = (options) => openPage(browser, stack.url, options);
const close = async (page) => {
  assert.deepEqual(page.faults, []);
  await page.context().close();
};
const talk = async (page, text = "Hello. words=3") => {
  await say(page, text);
  await page.locator("li.heard .actions").last().waitFor();
  await finished(page);
};
const panel = (page) => page.getByRole("navigation", { name: "Conversations" });
const noSideways = (page) => page.evaluate(() => document.documentElement.scrollWidth <= innerWidth);

test("layouts: one column with margins, simplified, a panel, and the phone's form, each at 390 and 1440 pixels", async () => {
  const seen = {
    current: async (page, wide) => {
      assert.equal(await panel(page).isVisible(), wide);
      const column = await page.locator("main").boundingBox();
      assert.ok(column.width <= 44 * 17 + 1);
      if (wide) assert.ok(Math.abs(column.x + column.width / 2 - 720) < 10, "the column is in the middle of the page");
      assert.equal(await page.locator(".margin .face").isVisible(), wide);
    },
    simplified: async (page) => {
      assert.equal(await panel(page).count(), 0);
      assert.equal(await page.evaluate(() => getComputedStyle(document.documentElement).fontSize), "20px");
      // What the panel holds elsewhere is in the settings.
      await page.getByRole("button", { name: "Settings" }).click();
      await page.getByRole("dialog").getByRole("button", { name: /^Hello/ }).waitFor();
      await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
    },
    sidebar: async (page, wide) => {
      assert.equal(await panel(page).isVisible(), wide);
      if (!wide) return;
      const box = await panel(page).boundingBox();
      assert.deepEqual([box.x, box.y, box.height], [0, 0, DESKTOP.height]);
      assert.notEqual(await panel(page).evaluate((node) => getComputedStyle(node).backgroundColor), "rgba(0, 0, 0, 0)");
    },
    "mobile-only": async (page, wide) => {
      assert.equal(await panel(page).isVisible(), false);
      const frame = await page.locator(".frame").boundingBox();
      assert.ok(frame.width <= 27 * 17 + 1);
      if (wide) assert.ok(Math.abs(frame.x + frame.width / 2 - 720) < 2);
      await page.getByRole("button", { name: "Show conversations" }).click();
      await panel(page).waitFor();
      await until("the drawer in its column", async () => {
        const box = await panel(page).boundingBox();
        return box && box.x >= frame.x - 1 && box.x + box.width <= frame.x + frame.width + 1;
      }, { timeout: 3_000 });
      await page.getByRole("button", { name: "Leave" }).click({ trial: true });
    },
  };
  for (const { id, config } of variants("CHAT_UI_LAYOUT")) {
    for (const [wide, viewport] of [[false, PHONE], [true, DESKTOP]]) {
      const page = await open({ viewport, configs: { CHAT_UI_LAYOUT: config } });
      await talk(page);
      await seen[id](page, wide);
      assert.ok(await noSideways(page), `${id}: no sideways scrolling`);
      await shot(page, `layout-${id}-${wide ? "desktop" : "phone"}`);
      // It holds for what is resumed, too.
      await page.reload();
      await page.locator(`.frame[data-layout="${id}"] li.heard`).waitFor();
      await close(page);
    }
  }
});

test("the drawer of the phone opens, closes with Esc and leaves the way out free", async () => {
  const page = await open({ viewport: PHONE });
  await talk(page);
  await page.getByRole("button", { name: "Show conversations" }).click();
  await panel(page).waitFor();
  await page.getByRole("button", { name: "Leave" }).click({ trial: true });
  await page.keyboard.press("Escape");
  await panel(page).waitFor({ state: "hidden" });
  await close(page);
});

test("compose positions: a pill at the bottom, fixed at the top, inline after the last message", async () => {
  const place = {
    "bottom-pill": (box, { height }) => assert.ok(height - (box.y + box.height) < 40, "at the bottom"),
    "top-fixed": (box) => assert.ok(box.y < 120, "at the top"),
    inline: (box, _, last) => assert.ok(box.y > last.y, "after the message"),
  };
  for (const { id, config } of variants("COMPOSE_POSITION")) {
    for (const viewport of [PHONE, DESKTOP]) {
      const page = await open({ viewport, configs: { COMPOSE_POSITION: config } });
      await page.getByRole("heading", { name: "What’s on your mind?" }).waitFor();
      await talk(page, "A first thing. words=30 delay=1");
      await talk(page, "A second thing. words=60 delay=1");
      const box = await page.locator(".composer").boundingBox();
      place[id](box, viewport, await page.locator("li.heard").last().boundingBox());
      assert.ok(box.x >= 0 && box.x + box.width <= viewport.width && await noSideways(page));
      const sticks = await page.locator(".composer").evaluate((node) => getComputedStyle(node).position);
      assert.equal(sticks, id === "inline" ? "static" : "sticky");
      if (id !== "inline") {
        await page.evaluate(() => scrollTo({ top: 0 }));
        place[id](await page.locator(".composer").boundingBox(), viewport);
      }
      await shot(page, `compose-${id}-${viewport.width}`);
      await close(page);
    }
  }
});

test("ghosts: letters, dots, a shimmer or nothing while the answer forms, and the words are whole in the end", async () => {
  const parts = { scramble: ".murmur", dots: ".dots i", shimmer: ".shimmer i", none: null };
  for (const { id, config } of variants("GHOST_CHAR_STYLE")) {
    const page = await open({ configs: { GHOST_CHAR_STYLE: config } });
    await say(page, "Wait for it. words=4 first=1500 delay=300");
    const ghost = page.locator(`.ghost[data-ghost="${id}"]`);
    await ghost.waitFor({ state: "attached" });
    for (const [name, part] of Object.entries(parts)) {
      if (part) assert.equal(await ghost.locator(part).first().isVisible(), name === id, `${id}: ${part}`);
    }
    // Also without anything to see, there is something to hear.
    assert.equal(await ghost.getAttribute("role"), "status");
    assert.match(await ghost.textContent(), /Listening/);
    await shot(page, `ghost-${id}`);
    await finished(page);
    await until("the whole text", async () => await page.locator("li.heard .text").innerText() === "word0. word1. word2. word3.");
    await close(page);
  }
});

/** Says something and gathers every state of the answer in which a letter is not its own. */
async function unsettled(page) {
  await say(page, "Quiet. words=12 first=400 delay=60");
  return page.evaluate(async () => {
    const found = [];
    const end = performance.now() + 1_500;
    while (performance.now() < end) {
      const text = document.querySelector("li.heard .text")?.textContent ?? "";
      if (/[a-z]/.test(text.replace(/word\d+\./g, ""))) found.push(text);
      await new Promise((resolve) => requestAnimationFrame(resolve));
    }
    return found;
  });
}

test("letters settle into words; with reduced motion nothing moves, and no letter is another one", async () => {
  const configs = { GHOST_CHAR_STYLE: { style: "scramble" } };
  const moving = await open({ configs });
  assert.notDeepEqual(await unsettled(moving), []);
  await close(moving);
  const page = await open({ reducedMotion: "reduce", configs });
  assert.deepEqual(await unsettled(page), []);
  assert.equal(await page.evaluate(() => document.getAnimations().filter(({ playState }) => playState === "running").length), 0);
  await close(page);
});

test("faces: the mandala, the orb, or none; it listens, thinks and speaks", async () => {
  const drawn = { on: [".ring svg", 4], "simple-orb": [".orb", 1], none: [".ring svg, .orb", 0] };
  for (const { id, config } of variants("MANDALA_FACE")) {
    const page = await open({ configs: { MANDALA_FACE: config } });
    const face = page.locator(".bar .face");
    await page.locator(".welcome").waitFor();
    assert.equal(await page.locator(".bar").locator(drawn[id][0]).count(), drawn[id][1], id);
    await shot(page, `face-${id}`);
    if (id !== "none") {
      const state = () => face.getAttribute("data-state");
      assert.equal(await state(), "idle");
      await page.keyboard.type("I am");
      assert.equal(await state(), "listening");
      await until("it to rest", async () => await state() === "idle");
      await say(page, "Now. words=20 first=900 delay=80");
      await until("it to think", async () => await state() === "thinking", { every: 20 });
      await until("it to speak", async () => await state() === "speaking", { every: 20 });
      await finished(page);
      await until("it to rest", async () => await state() === "idle");
    } else assert.equal(await page.locator(".face").count(), 0);
    await close(page);
  }
});

test("starters: as many as the session has, each said at a tap", async () => {
  for (const size of [5, 10]) {
    const context = await browser.newContext({ viewport: PHONE, locale: "en-GB", serviceWorkers: "block" });
    await context.route("**/v1/sessions", async (route) => {
      if (route.request().method() !== "POST") return route.fallback();
      const response = await route.fetch();
      const body = await response.json();
      return route.fulfill({ response, json: { ...body, starters: Array.from({ length: size }, (_, at) => `Line ${at} words=1`) } });
    });
    const page = await open({ context });
    const starters = page.getByRole("list", { name: "Ways to begin" }).getByRole("button");
    assert.equal(await starters.count(), size);
    await starters.nth(size - 1).click();
    assert.equal(await page.locator("li.said .text").innerText(), `Line ${size - 1} words=1`);
    await finished(page);
    await close(page);
  }
  const page = await open();
  assert.equal(await page.getByRole("list", { name: "Ways to begin" }).getByRole("button").count(), 7, "as the registry has it");
  await close(page);
});

test("topics: a flat list, a drill-down and tabs put a line into the composer and send nothing", async () => {
  const pick = {
    flat: async (topics) => {
      assert.equal(await topics.getByRole("listitem").count(), 8);
      await topics.getByRole("button", { name: "More" }).click();
      assert.equal(await topics.getByRole("listitem").count(), 24);
      await topics.getByRole("button", { name: /Night/ }).click();
    },
    "drill-down": async (topics, page) => {
      assert.equal(await topics.getByRole("button").count(), 8);
      await topics.getByRole("button", { name: "Work" }).press("Enter");
      assert.match(await page.evaluate(() => document.activeElement.textContent), /Back: Work/);
      await page.keyboard.press("Enter");
      await topics.getByRole("button", { name: "Sleep" }).click();
      await topics.getByRole("button", { name: /Night/ }).click();
    },
    tabs: async (topics, page) => {
      assert.equal(await topics.getByRole("tab").count(), 8);
      await topics.getByRole("tab", { name: "Sleep", selected: true }).focus();
      await page.keyboard.press("ArrowLeft");
      await topics.getByRole("tab", { name: "Good things", selected: true }).waitFor();
      await page.keyboard.press("ArrowRight");
      await page.keyboard.press("ArrowRight");
      await topics.getByRole("tabpanel", { name: "Worry" }).waitFor();
      await page.keyboard.press("Home");
      await topics.getByRole("tabpanel", { name: "Sleep" }).getByRole("button", { name: /Night/ }).click();
    },
  };
  for (const { id, config } of variants("TOPIC_HIERARCHY")) {
    for (const viewport of [PHONE, DESKTOP]) {
      const page = await open({ viewport, configs: { TOPIC_HIERARCHY: config } });
      const topics = page.getByRole("region", { name: "Or begin with a theme" });
      await pick[id](topics, page);
      assert.equal(await composer(page).inputValue(), "Nights feel longer than they are.");
      assert.equal(await page.evaluate(() => document.activeElement.tagName), "TEXTAREA");
      assert.equal(await page.locator("li.said").count(), 0);
      assert.ok(await noSideways(page));
      await close(page);
    }
  }
});

test("all 40 rating forms are shown after a turn, and what is picked is taken by the server", async (t) => {
  const context = await browser.newContext({ viewport: PHONE, locale: "en-GB", serviceWorkers: "block" });
  const configs = {};
  const page = await open({ context, configs });
  await talk(page);
  // One person may ask 120 times a minute: what the page asks beside the conversation would make it more.
  await context.route(/\/v1\/(health|resources|sessions)(\?.*)?$/, (route) => route.abort());
  const forms = variants("RATING_VARIANT");
  assert.equal(forms.length, 40);
  const best = { stars5: { rating: 5 }, words5: { rating: 5 }, emoji5: { rating: 5 }, slider10: { score: 6 }, thumbs: { thumb: "up" } };
  const shown = new Set();
  for (const { id, config } of forms) {
    configs.RATING_VARIANT = config;
    await page.evaluate(() => sessionStorage.clear());
    await page.reload();
    const form = page.getByRole("group", { name: config.question });
    await form.waitFor();
    assert.equal(await form.getAttribute("data-scale"), config.scale);
    for (const end of [config.low, config.high]) assert.ok((await form.innerText()).includes(end), `${id}: ${end}`);
    if (!shown.has(config.scale)) await shot(page, `rating-${config.scale}`);
    shown.add(config.scale);
    const taken = page.waitForResponse(/\/feedback$/);
    if (config.scale === "slider10") {
      await form.getByRole("slider").press("ArrowRight");
      await form.getByRole("button", { name: "That’s it" }).click();
    } else if (config.scale === "thumbs") await form.getByRole("button", { name: config.high, exact: true }).click();
    else if (config.scale === "words5") await form.getByRole("button", { name: config.high, exact: true }).click();
    else await form.getByRole("button", { name: `5 of 5: ${config.high}` }).click();
    const response = await taken;
    assert.equal(response.status(), 204, id);
    assert.deepEqual(response.request().postDataJSON(), best[config.scale], id);
    await page.getByText("Thank you. That is noted.").waitFor();
  }
  t.diagnostic(`${shown.size} scales: ${[...shown].join(", ")}`);
  await context.unroute(/\/v1\/(health|resources|sessions)(\?.*)?$/);
  // Once answered, or put off, it is not asked again.
  await page.reload();
  await page.locator("li.heard .text").waitFor();
  assert.equal(await page.locator(".rating").count(), 0);
  await talk(page, "Another one. words=2");
  await page.locator(".rating").getByRole("button", { name: "Not now" }).click();
  assert.equal(await page.locator(".rating").count(), 0);
  await close(page);
});

test("after a crisis answer nothing asks for a rating", async () => {
  const page = await open();
  await say(page, "I want to die");
  await page.getByRole("region", { name: "Support" }).waitFor();
  await finished(page);
  await page.waitForTimeout(800);
  assert.equal(await page.locator(".rating").count(), 0);
  assert.equal(await page.getByRole("button", { name: "Answer again" }).count(), 0);
  await close(page);
});

test("pricing: both structures, with today's use, and nothing to buy", async () => {
  const names = { v1: ["Free", "Plus", "Pro"], "v2-claude-aligned": ["Free", "Pro", "Max"] };
  for (const { id, config } of variants("PRICING_TIER_STRUCTURE")) {
    for (const viewport of [PHONE, DESKTOP]) {
      const page = await open({ viewport, configs: { PRICING_TIER_STRUCTURE: config } });
      await talk(page);
      await talk(page, "And more. words=1");
      // The list of conversations, which the use is counted from, hears of a turn a moment later.
      await until("the turns to be indexed", () => page.evaluate(() => fetch("/v1/sessions").then((response) => response.json()).then(({ sessions }) => sessions[0].turns === 2)));
      if (viewport === PHONE) await page.getByRole("button", { name: "Show conversations" }).click();
      await page.getByRole("button", { name: "Plans" }).click();
      const dialog = page.getByRole("dialog", { name: "Plans" });
      await dialog.getByText(/^2 of \d+ turns today$/).waitFor();
      assert.deepEqual(await dialog.locator(".tiers h3").allInnerTexts(), names[id]);
      assert.deepEqual((await dialog.getByRole("button").allInnerTexts()).filter(Boolean), ["Leave"], "no checkout");
      await dialog.getByText("Nothing is sold here yet.").waitFor();
      assert.match(page.url(), /\/plans$/);
      await shot(page, `plans-${id}-${viewport.width}`);
      await page.goBack();
      await dialog.waitFor({ state: "detached" });
      assert.equal(await page.locator("li.heard").count(), 2, "the conversation is where it was");
      await close(page);
    }
  }
});

test("a tester's link goes with every new conversation until it is left", async () => {
  const context = await browser.newContext({ viewport: PHONE, locale: "en-GB", serviceWorkers: "block" });
  const asked = [];
  await context.route("**/v1/sessions", async (route) => {
    if (route.request().method() !== "POST") return route.continue();
    const { preview, ...body } = route.request().postDataJSON();
    asked.push(preview);
    const response = await route.fetch({ postData: JSON.stringify(body) });
    const made = await response.json();
    return route.fulfill({ response, json: { ...made, assignment: { ...made.assignment, configs: preview ? { CHAT_UI_LAYOUT: { layout: "simplified" } } : {} } } });
  });
  const page = await open({ context });
  await page.goto(`${stack.url}/?preview=signed.token`);
  await page.locator('.frame[data-layout="simplified"]').waitFor();
  assert.doesNotMatch(page.url(), /preview/);
  await page.getByRole("button", { name: "New conversation" }).click();
  await until("a third session", () => asked.length === 3);
  await page.getByRole("button", { name: "Leave the preview" }).click();
  await page.locator('.frame[data-layout="current"]').waitFor();
  assert.deepEqual(asked, [undefined, "signed.token", "signed.token", undefined]);
  assert.equal(await page.getByRole("button", { name: "Leave the preview" }).count(), 0);
  await close(page);
});
