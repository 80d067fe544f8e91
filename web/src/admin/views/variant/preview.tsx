// A signed link that shows this variant to a tester.
import { useState } from "react";
import type { Variant } from "../../api/types";
import { useAct } from "../../shell/act";
import { Sheet } from "../../ui/dialog";

export function PreviewLink({ variant }: { variant: Variant }) {
  const act = useAct();
  const [link, setLink] = useState<string | null>(null);
  const [isCopied, setCopied] = useState(false);
  const ask = () => act({
    title: `A link to ${variant.id} for testers`, verb: "Make the link", path: "/preview-links", body: { overrides: { [variant.category]: variant.id } },
    tells: <p>Whoever opens it gets this variant for their session, whatever the assignment says. It works for seven days, and its sessions are in no analysis.</p>,
    said: "The link is made.", onDone: (outcome) => { setCopied(false); setLink((outcome as unknown as { link: string }).link); },
  });
  return (
    <>
      <button type="button" className="btn btn-quiet" onClick={ask}>Link for testers</button>
      {link && (
        <Sheet title="A link for testers" onClose={() => setLink(null)}>
          <label><span className="label">It works for seven days</span><textarea readOnly rows={4} className="field mono" value={link} onFocus={(event) => event.currentTarget.select()} /></label>
          <button type="button" className="btn btn-main mt-3" onClick={() => void navigator.clipboard.writeText(link).then(() => setCopied(true), () => setCopied(false))}>{isCopied ? "Copied" : "Copy"}</button>
        </Sheet>
      )}
    </>
  );
}
