// openai-node, unchanged, follows responses. From the standard input: where they are, as JSON; to
// the standard output: a line for each conversation, with what came of it.
import { readFileSync } from "node:fs";
import OpenAI from "openai";

const { base_url: baseURL, models } = JSON.parse(readFileSync(0));
const client = new OpenAI({ apiKey: "none", baseURL, maxRetries: 0 });

/** Follow a conversation to its end, answer its functions, then ask for its responses again. */
async function follow(model) {
  const theirs = { events: [], output: [], retrieved: [], rest: [] };
  let request = { model, input: "hi", background: true };
  while (request) {
    const stream = client.responses.stream(request);
    stream.on("event", (event) => theirs.events.push([event.type, event.sequence_number]));
    const response = await stream.finalResponse();
    theirs.output.push(...response.output);
    theirs.retrieved.push(...(await client.responses.retrieve(response.id)).output);
    const again = await client.responses.retrieve(response.id, { stream: true, starting_after: 4 });
    for await (const event of again) theirs.rest.push([event.type, event.sequence_number]);
    const calls = response.output.filter(({ type }) => type === "function_call");
    const input = calls.map(({ call_id }) => ({ type: "function_call_output", call_id, output: "x" }));
    request = calls.length
      ? { model, input, previous_response_id: response.id, background: true }
      : undefined;
  }
  return theirs;
}

for (const model of models) {
  const said = await follow(model).catch((error) => ({ error: String(error) }));
  console.log(JSON.stringify(said));
}
