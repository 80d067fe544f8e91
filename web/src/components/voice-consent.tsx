// Whether recordings of what is said are kept: off until somebody turns it on.
import { useEffect, useState } from "react";
import { giveVoiceConsent, readVoiceConsent } from "../api/client";
import { useWords } from "../i18n";

export function VoiceConsent({ speakable }: { speakable: boolean }) {
  const { voice, errors } = useWords();
  const [given, setGiven] = useState<boolean | null>(null);
  const [changing, setChanging] = useState(false);
  const [failed, setFailed] = useState(false);
  useEffect(() => { readVoiceConsent().then(setGiven, () => setGiven(null)); }, []);
  // Where nobody listens any more, what was kept can still be taken back.
  if (given === null || !(speakable || given)) return null;
  const choose = async (keep: boolean) => {
    setChanging(true);
    setFailed(false);
    try {
      await giveVoiceConsent(keep);
      setGiven(keep);
    } catch {
      setFailed(true);
    }
    setChanging(false);
  };
  return (
    <section className="group">
      <h3>{voice.title}</h3>
      <p id="set-voice-more">{voice.consentMore}</p>
      <label className="switch">
        <input type="checkbox" role="switch" aria-describedby="set-voice-more" checked={given} disabled={changing} onChange={(event) => void choose(event.target.checked)} />
        <span>{voice.consent}</span>
      </label>
      {failed && <p role="alert">{errors.other}</p>}
    </section>
  );
}
