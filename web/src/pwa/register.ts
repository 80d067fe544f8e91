// Installs the service worker once the page has what it needs itself.
export function registerWorker() {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  const register = () => {
    // A new one waits until every page of the old one is closed: nothing changes under a running conversation.
    navigator.serviceWorker.register("/sw.js").then(() => navigator.serviceWorker.ready).then((registration) => {
      // What this page loads, in its language and with its fonts, is worth having offline too.
      new PerformanceObserver((list) => {
        const loaded = list.getEntries().map(({ name }) => new URL(name)).filter(({ origin, pathname }) => origin === location.origin && pathname.startsWith("/assets/"));
        registration.active?.postMessage({ keep: loaded.map(({ pathname }) => pathname) });
      }).observe({ type: "resource", buffered: true });
    }).catch(() => {});
  };
  if (document.readyState === "complete") register();
  else addEventListener("load", register, { once: true });
}
