// Help that can be opened at any time, also without a network.
import { useEffect, useState } from "react";
import { type Help, chooseRegion, region } from "../api/client";
import { HelpList } from "../chat/safety-card";
import { helpIn } from "../help";
import { useWords } from "../i18n";
import { RegionSelect } from "./region";
import { Sheet } from "./sheet";

export default function HelpSheet({ onClose }: { onClose: () => void }) {
  const words = useWords();
  const [help, setHelp] = useState<(Help & { stored: boolean }) | "none" | null>(null);
  const [country, setCountry] = useState(region() ?? "");
  useEffect(() => {
    let current = true;
    helpIn(country).then((found) => current && setHelp(found), () => current && setHelp("none"));
    return () => { current = false; };
  }, [country]);
  const choose = (next: string) => {
    chooseRegion(next);
    setCountry(next);
  };
  return (
    <Sheet title={words.helpTitle} wide onClose={onClose}>
      <p className="lead">{words.helpMore}</p>
      {help === "none" && <p className="banner" role="status">{words.helpNone}</p>}
      {help !== null && help !== "none" && (
        <div className="care plain">
          <RegionSelect label={words.region} value={country || (help.country ?? "")} countries={help.countries} onChoose={choose} />
          <HelpList resources={help.resources} />
          {help.stored && <p className="note">{words.helpKept}</p>}
        </div>
      )}
    </Sheet>
  );
}
