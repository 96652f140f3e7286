// openai-node, unchanged, follows runs. From the standard input: where they are, as JSON; to the
// standard output: a line for each, with what came of it.
import { readFileSync } from "node:fs";
import OpenAI from "openai";

const { base_url: baseURL, places } = JSON.parse(readFileSync(0));
const client = new OpenAI({ apiKey: "none", baseURL, maxRetries: 0 });
const { runs, messages } = client.beta.threads;
const include = ["step_details.tool_calls[*].file_search.results[*].content"];

/** Say which logs and images a delta of a step brings. */
function pieces(step, delta) {
  return (delta.step_details?.tool_calls ?? []).flatMap((call) =>
    (call.code_interpreter?.outputs ?? [])
      .map(({ index, type, logs, image }) => [step, call.index, index, type, logs ?? image.file_id])
      .filter((piece) => piece.at(-1)));
}

async function all(page) {
  const items = [];
  for await (const item of await page) items.push(item);
  return items;
}

/** Follow a run through its legs, then ask for all there is of it. */
async function follow([thread_id, assistant_id]) {
  const theirs = { events: [], pieces: [], streamed: [], files: {} };
  let run;
  let stream = runs.stream(thread_id, { assistant_id, include });
  while (stream) {
    stream.on("event", ({ event, data }) => theirs.events.push([event, structuredClone(data)]));
    stream.on("runStepDelta", (delta, { id }) => theirs.pieces.push(...pieces(id, structuredClone(delta))));
    run = await stream.finalRun();
    theirs.streamed.push(...await stream.finalRunSteps());
    const asked = run.required_action?.submit_tool_outputs.tool_calls;
    const tool_outputs = asked?.map(({ id }) => ({ tool_call_id: id, output: "{}" }));
    stream = asked && runs.submitToolOutputsStream(run.id, { thread_id, tool_outputs });
  }
  theirs.run = await runs.retrieve(run.id, { thread_id });
  theirs.steps = await all(runs.steps.list(run.id, { thread_id, order: "asc", limit: 1, include }));
  theirs.messages = await all(messages.list(thread_id, { run_id: run.id, order: "asc", limit: 1 }));
  for (const [, , , kind, id] of theirs.pieces) {
    if (kind !== "image") continue;
    const content = await client.files.content(id);
    theirs.files[id] = Buffer.from(await content.arrayBuffer()).toString("base64");
  }
  return theirs;
}

for (const place of places) {
  const said = await follow(place).catch((error) => ({ error: String(error) }));
  console.log(JSON.stringify(said));
}
