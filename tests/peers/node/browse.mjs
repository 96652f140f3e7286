// Uses the chat in Chromium. From the standard input: what to do, as JSON; to the standard
// output: a line for each, which says what the page showed.
import { readFileSync } from "node:fs";
import { chromium } from "playwright-core";

const { executable, args, visits } = JSON.parse(readFileSync(0));

/** Note what is put on the page, a line for each text and image. This runs in the page. */
function watch() {
  window.pieces = [];
  const where = (node) => {
    const indices = [];
    for (; !node.matches("section"); node = node.parentElement) {
      if (node.dataset.index) indices.unshift(Number(node.dataset.index));
    }
    return [node.id, ...indices];
  };
  const note = (node, parent) => {
    if (node.tagName === "IMG") window.pieces.push([where(node), "image", node.alt]);
    if (node.nodeName !== "#text" || !node.data) return;
    const kind = ["code", "logs", "text"].find((name) => parent.classList.contains(name));
    if (kind) window.pieces.push([where(parent), kind, node.data]);
  };
  new MutationObserver((records) => {
    for (const { addedNodes, target } of records) {
      for (const node of addedNodes) note(node, target);
    }
  }).observe(document, { childList: true, subtree: true });
}

/** Say what is on the page in the end. This runs in the page. */
async function shown() {
  const output = (node) => node.tagName === "IMG"
    ? ["image", node.alt, node.naturalWidth, node.naturalHeight]
    : [node.className, node.textContent];
  const call = (node) => ({
    name: node.querySelector("header").textContent,
    code: node.querySelector(".code").textContent,
    outputs: [...node.querySelector(".outputs").children].map(output),
  });
  const part = (node) => node.className === "call" ? call(node) : output(node);
  const sections = [...document.querySelectorAll(".answer section")];
  await Promise.all([...document.images].map((image) => image.decode().catch(() => {})));
  return {
    pieces: window.pieces,
    answer: Object.fromEntries(sections.map((each) => [each.id, [...each.children].map(part)])),
    alerts: [...document.querySelectorAll("[role=alert]")].map((each) => each.textContent),
    is_busy: document.querySelector(".answer").ariaBusy === "true",
  };
}

const browser = await chromium.launch({ executablePath: executable, args });
const page = await browser.newPage({ viewport: { width: 760, height: 1000 } });
await page.addInitScript(watch);
let patience = 30_000; // milliseconds, and few of them once a page was waited for in vain
let errors;
const failed = (error) => { errors.push(error.message); patience = 1_000; };
page.on("pageerror", (error) => errors.push(String(error)));
for (const { url, count, screenshot } of visits) {
  errors = [];
  page.setDefaultTimeout(patience);
  await page.goto(url); // which leaves a stream that is still open
  await page.getByRole("textbox").fill("What came of it?");
  await page.keyboard.press("Enter");
  // A stream that is held back has shown all it has; any other one ends.
  const ready = count === null
    ? page.waitForSelector(".answer[aria-busy=false]", { state: "attached" })
    : page.waitForFunction((count) => window.pieces.length >= count, count);
  await ready.catch(failed);
  await page.waitForFunction(() => [...document.images].every((image) => image.src)).catch(failed);
  console.log(JSON.stringify({ ...await page.evaluate(shown), errors }));
  if (screenshot) await page.screenshot({ path: screenshot });
}
await browser.close();
