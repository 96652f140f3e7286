// openai-node, unchanged, folds streams whose body its client gets from memory. What to do comes
// as lines of JSON on the standard input, and each is answered by one on the standard output.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import OpenAI from "openai";
import { VERSION } from "openai/version";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");

let loaded; // what was asked for, to be asked for again elsewhere
let body, sizes, read;
let folded;

/** Answer with the body, a chunk at a time, as it is read. */
async function answer() {
  let start = 0;
  let count = 0;
  const chunks = new ReadableStream({
    pull(controller) {
      const end = start + (Array.isArray(sizes) ? sizes[count++] : sizes);
      if (start >= body.length || Number.isNaN(end)) return controller.close();
      controller.enqueue(body.subarray(start, end));
      start = end;
    },
  });
  return new Response(chunks, { headers: { "content-type": "text/event-stream" } });
}

const client = new OpenAI({ apiKey: "none", fetch: answer, maxRetries: 0, logLevel: "off" });

/** Read a run to its end; the stream accumulates, with no listener of ours. */
async function readRun() {
  const stream = client.beta.threads.runs.stream("thread_1", { assistant_id: "asst_1" });
  await stream.finalRun();
  return stream;
}

/** Read a response to its end. */
async function readResponse() {
  return await client.responses.stream({ model: "gpt-4o", input: "" }).finalResponse();
}

/**
 * Leave out what only they have in the end: the `index` by which fragments were merged, which no
 * whole object of the API has, and the `parsed` of a text when it was not to be parsed.
 */
function bare(name, value) {
  return name === "index" || name === "parsed" ? undefined : value;
}

async function tellRun(stream) {
  return { steps: await stream.finalRunSteps(), messages: await stream.finalMessages() };
}

async function tellResponse({ output }) {
  const isMessage = ({ type }) => type === "message";
  return {
    steps: output.filter((item) => !isMessage(item)),
    messages: output.filter(isMessage),
  };
}

const RUN = { fold: readRun, tell: tellRun };
const RESPONSE = { fold: readResponse, tell: tellResponse };

const ACTIONS = {
  async load(request) {
    loaded = request;
    body = readFileSync(request.path);
    sizes = request.sizes;
    read = /^event: ?response\./m.test(body.toString("latin1", 0, 4096)) ? RESPONSE : RUN;
    return { ok: true };
  },

  async fold() {
    folded = undefined;
    collect();
    const start = performance.now();
    folded = await read.fold();
    return { seconds: (performance.now() - start) / 1000 };
  },

  async told() {
    return { told: JSON.parse(JSON.stringify(await read.tell(folded), bare)) };
  },

  /** Ask a fresh process: in this one, rounds before have left room that a peak would not show. */
  async memory() {
    const input = [loaded, { do: "peak" }].map((each) => JSON.stringify(each)).join("\n");
    const options = { input, encoding: "utf8", stdio: ["pipe", "pipe", "inherit"] };
    const { stdout } = spawnSync(process.execPath, [fileURLToPath(import.meta.url)], options);
    return JSON.parse(stdout.trim().split("\n").at(-1));
  },

  async peak() {
    collect();
    const before = process.memoryUsage.rss();
    await read.fold();
    return { peak: process.resourceUsage().maxRSS * 1024 - before };
  },

  async versions() {
    return { versions: { openai: VERSION, node: process.versions.node } };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  try {
    console.log(JSON.stringify(await ACTIONS[request.do](request)));
  } catch (error) {
    console.error(error);
    console.log(JSON.stringify({ error: String(error) }));
  }
}
