// A tester's link (`/?preview=<signed token>`): its token goes with every new conversation of this tab until it is left.
const KEY = "si-preview";

/** Takes the token out of the address, so that it is neither seen nor shared by accident. */
export function readPreview() {
  const asked = new URLSearchParams(location.search).get("preview");
  if (!asked) return;
  sessionStorage.setItem(KEY, asked);
  history.replaceState(null, "", location.pathname);
}

export const previewToken = () => sessionStorage.getItem(KEY);
export const leavePreview = () => sessionStorage.removeItem(KEY);
