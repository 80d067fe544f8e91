// The model server in a process of its own, so that it shares no event loop with the client that measures.
import { mockLlm } from "../mock-llm.mjs";

const llm = await mockLlm();
process.send({ url: llm.url });
// What was asked matters to tests; here it would only fill memory.
setInterval(() => { llm.requests.length = 0; }, 200);
process.on("disconnect", () => process.exit(0));
