// What a person decides for themselves: language, region, appearance, their data.
import { useEffect, useState } from "react";
import { EXPORT_URL, chooseRegion, eraseMe, region } from "../api/client";
import { helpIn } from "../help";
import { LANGUAGES, type Language, speak, useLanguage, useWords } from "../i18n";
import { isVeiled, unveil } from "../veil";
import { HistoryList } from "./history";
import { Icon } from "./icon";
import { RegionSelect } from "./region";
import { Keys, Sheet } from "./sheet";
import { type Theme, useTheme } from "./theme";
import { VoiceConsent } from "./voice-consent";

interface Props {
  current: string | null;
  /** Whether conversations are to be found here, because the layout shows them nowhere else. */
  withHistory: boolean;
  /** Whether there is somebody to speak with. */
  speakable: boolean;
  onOpen: (id: string | null) => void;
  onClose: () => void;
}

export default function Settings({ current, withHistory, speakable, onOpen, onClose }: Props) {
  const words = useWords();
  return (
    <Sheet title={words.settings} wide onClose={onClose}>
      <div className="settings">
        <LanguageChoice />
        <RegionChoice />
        <Appearance />
        {withHistory && <section className="group" aria-label={words.history}><h3>{words.history}</h3><HistoryList current={current} changed={0} onOpen={onOpen} /></section>}
        {isVeiled() && <Hidden />}
        <VoiceConsent speakable={speakable} />
        <YourData />
        <section className="group"><h3>{words.keysTitle}</h3><Keys /></section>
      </div>
    </Sheet>
  );
}

/** The way back to what a quick exit hid. */
function Hidden() {
  const words = useWords();
  const show = () => {
    unveil();
    location.reload();
  };
  return (
    <section className="group">
      <h3>{words.hidden}</h3>
      <p>{words.hiddenMore}</p>
      <div className="choices start"><button type="button" className="quiet" onClick={show}>{words.hiddenShow}</button></div>
    </section>
  );
}

function LanguageChoice() {
  const words = useWords();
  const language = useLanguage();
  const choose = (next: Language) => void speak(next).catch(() => {});
  return (
    <section className="group">
      <h3 id="set-language">{words.language}</h3>
      <p>{words.languageMore}</p>
      <div className="options" role="radiogroup" aria-labelledby="set-language">
        {(Object.entries(LANGUAGES) as [Language, string][]).map(([code, name]) => (
          <label key={code} lang={code}><input type="radio" name="language" checked={language === code} onChange={() => choose(code)} /><span>{name}</span></label>
        ))}
      </div>
    </section>
  );
}

function RegionChoice() {
  const words = useWords();
  const [countries, setCountries] = useState<string[]>([]);
  const [country, setCountry] = useState(region() ?? "");
  useEffect(() => { helpIn("").then((help) => setCountries(help.countries), () => undefined); }, []);
  const choose = (next: string) => {
    chooseRegion(next);
    setCountry(next);
    // So that its numbers are on this device from now on.
    void helpIn(next).catch(() => {});
  };
  return (
    <section className="group">
      <h3>{words.regionTitle}</h3>
      <p>{words.regionMore}</p>
      <RegionSelect label={words.region} value={country} countries={countries} onChoose={choose} />
    </section>
  );
}

function Appearance() {
  const words = useWords();
  const [theme, choose] = useTheme();
  return (
    <section className="group">
      <h3 id="set-theme">{words.theme}</h3>
      <div className="options" role="radiogroup" aria-labelledby="set-theme">
        {(Object.entries(words.themes) as [Theme, string][]).map(([name, label]) => (
          <label key={name}><input type="radio" name="theme" checked={theme === name} onChange={() => choose(name)} /><span>{label}</span></label>
        ))}
      </div>
    </section>
  );
}

function YourData() {
  const words = useWords();
  const [asked, setAsked] = useState(false);
  const [typed, setTyped] = useState("");
  const [failed, setFailed] = useState(false);
  const erase = async () => {
    setFailed(false);
    try {
      await eraseMe();
    } catch {
      return setFailed(true);
    }
    localStorage.clear();
    sessionStorage.clear();
    location.replace("/");
  };
  return (
    <section className="group" aria-label={words.yours}>
      <h3>{words.yours}</h3>
      <p>{words.yoursMore}</p>
      <div className="choices start">
        <a className="quiet" href={EXPORT_URL} download><Icon name="save" />{words.export}</a>
        {!asked && <button type="button" className="quiet" onClick={() => setAsked(true)}><Icon name="trash" />{words.erase}</button>}
      </div>
      {asked && (
        <div className="erase">
          <p>{words.eraseAsk}</p>
          <label className="typed">{words.eraseType}<input value={typed} onChange={(event) => setTyped(event.target.value)} autoComplete="off" /></label>
          {failed && <p role="alert">{words.errors.other}</p>}
          <div className="choices">
            <button type="button" className="quiet" onClick={() => setAsked(false)}>{words.cancel}</button>
            <button type="button" className="danger" disabled={typed.trim() !== words.eraseWord} onClick={() => void erase()}>{words.erase}</button>
          </div>
        </div>
      )}
    </section>
  );
}
