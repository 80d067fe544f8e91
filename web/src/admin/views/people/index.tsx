// Why a person has their variants, in every category.
import { Panel, Title } from "../../ui/panel";
import { Explain } from "./explain";

export default function People() {
  return (
    <>
      <Title name="Why this variant" lead="The assignment is a pure function of a person’s id and the registry. Testers’ links and crises come on top: they are in the events, not here." />
      <Panel title="A person"><Explain isWide /></Panel>
    </>
  );
}
