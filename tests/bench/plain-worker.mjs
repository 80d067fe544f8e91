// The peer that shows what workerd itself costs: no identity, no order, no gate, no storage, only the stream translated.
const EVENT_END = "\n\n";

function translate() {
  const decoder = new TextDecoder();
  const encoder = new TextEncoder();
  let text = "";
  return new TransformStream({
    transform(bytes, controller) {
      text += decoder.decode(bytes, { stream: true });
      for (let end = text.indexOf(EVENT_END); end >= 0; end = text.indexOf(EVENT_END)) {
        const data = text.slice("data: ".length, end);
        text = text.slice(end + EVENT_END.length);
        const send = (part) => controller.enqueue(encoder.encode(`data: ${part}${EVENT_END}`));
        if (data === "[DONE]") {
          send('{"type":"finish","finishReason":"stop"}');
          send("[DONE]");
        } else {
          const delta = JSON.parse(data).choices[0]?.delta.content;
          if (delta) send(JSON.stringify({ type: "text-delta", id: "t0", delta }));
        }
      }
    },
  });
}

export default {
  async fetch(request, env) {
    const { message } = await request.json();
    const answer = await fetch(`${env.LLM_BASE_URL}/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ model: "mock-1", stream: true, messages: [{ role: "user", content: message }] }),
    });
    return new Response(answer.body.pipeThrough(translate()), { headers: { "content-type": "text/event-stream" } });
  },
};
