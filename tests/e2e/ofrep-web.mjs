// A page's client: OpenFeature's web SDK with its OFREP provider. Prints what it sees, one JSON object a line.
import { OpenFeature, ProviderEvents } from "@openfeature/web-sdk";
import { OFREPWebProvider } from "@openfeature/ofrep-web-provider";

const { FLAGS_URL: baseUrl, FLAGS_KEY: key } = process.env;
const flags = OpenFeature.getClient();
const say = (event) => console.log(JSON.stringify({ event, layout: flags.getStringValue("CHAT_UI_LAYOUT.layout", ""), size: flags.getNumberValue("STARTER_POOL_SIZE.size", 0) }));
flags.addHandler(ProviderEvents.ConfigurationChanged, () => say("changed"));
await OpenFeature.setContext({ targetingKey: "page-1" });
// No polling: what is heard, is heard over the stream.
await OpenFeature.setProviderAndWait(new OFREPWebProvider({ baseUrl, pollInterval: 0, headers: [["x-api-key", key]] }));
say("ready");
