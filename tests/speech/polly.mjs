// Amazon Polly: SynthesizeSpeech, with its signature checked.
// Source: Amazon Polly, API reference, "SynthesizeSpeech"; exceptions of the service model.
import { Refuse, object, serve } from "./kit.mjs";
import { fault as faultOf } from "./sigv4.mjs";
import { bytesOf, speak } from "./tones.mjs";

const FIELDS = ["Engine", "LanguageCode", "LexiconNames", "OutputFormat", "SampleRate", "SpeechMarkTypes", "Text", "TextType", "VoiceId"];
const ENGINES = ["standard", "neural", "long-form", "generative"];

const refuse = (status, name, message) => new Refuse(status, { message }, { "x-amzn-errortype": `${name}:http://internal.amazon.com/coral/com.amazon.parrot/`, "x-amzn-requestid": "mock" });
/** How the service throttles: by the exception's name, under the status of a mistake. */
export const throttled = { status: 400, body: { message: "Rate exceeded" }, headers: { "x-amzn-errortype": "ThrottlingException:http://internal.amazon.com/coral/com.amazon.coral.availability/" } };

export function start({ accessKeyId = "AKIDMOCK", secretAccessKey = "mock-secret", sessionToken = "", region = "us-east-1", voices = { Joanna: ["standard", "neural", "generative"], Vicki: ["neural"] } } = {}) {
  return serve({
    name: "polly",
    answer: (call) => {
      const wrong = faultOf(call, { accessKeyId, secretAccessKey, sessionToken, region, service: "polly" });
      if (wrong) throw refuse(403, wrong, "The request signature we calculated does not match the signature you provided.");
      if (call.method !== "POST" || call.path !== "/v1/speech") throw refuse(404, "UnknownOperationException", "");
      const ask = object(call.raw, () => refuse(400, "SerializationException", "Start of structure or map found where not expected."));
      const unknown = Object.keys(ask).find((name) => !FIELDS.includes(name) || (name !== "LexiconNames" && name !== "SpeechMarkTypes" && typeof ask[name] !== "string"));
      if (unknown) throw refuse(400, "SerializationException", `${unknown} is not as it should be`);
      if (!ask.Text || !ask.OutputFormat || !ask.VoiceId) throw refuse(400, "ValidationException", "required fields are missing");
      const engine = ask.Engine ?? "standard";
      if (!ENGINES.includes(engine) || !voices[ask.VoiceId]) throw refuse(400, "ValidationException", "value failed to satisfy constraint: Member must satisfy enum value set");
      if (!voices[ask.VoiceId].includes(engine)) throw refuse(400, "EngineNotSupportedException", "This voice does not support the selected engine");
      if ([...ask.Text].length > 3000) throw refuse(400, "TextLengthExceededException", "Maximum text length has been exceeded");
      if (ask.OutputFormat !== "pcm") throw refuse(400, "ValidationException", "this mock makes PCM");
      if (!["8000", "16000"].includes(ask.SampleRate ?? "16000")) throw refuse(400, "InvalidSampleRateException", "The specified sample rate is not valid");
      call.entry.text = ask.Text;
      return call.stream("audio/pcm", bytesOf(speak(ask.Text, Number(ask.SampleRate ?? 16000))), { "x-amzn-RequestCharacters": String([...ask.Text].length), "x-amzn-RequestId": "mock" });
    },
  });
}
