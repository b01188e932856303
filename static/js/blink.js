// Planes of one image in one viewer: <nav data-planes> with buttons [data-plane] that carry data-tiles and data-pixel.
// The button [data-blink] alternates between the planes it names ("new incumbent") until it is pressed again.
const EVERY_MS = 700;

for (const nav of document.querySelectorAll("[data-planes]")) start(nav, document.querySelector("[data-viewer]"));

function start(nav, viewer) {
  const blink = nav.querySelector("[data-blink]");
  let timer = 0;
  const stop = () => {
    clearInterval(timer);
    timer = 0;
    blink?.setAttribute("aria-pressed", "false");
  };
  for (const button of nav.querySelectorAll("[data-plane]")) {
    button.addEventListener("click", () => { stop(); show(nav, viewer, button); });
  }
  blink?.addEventListener("click", () => {
    if (timer) return stop();
    const pair = blink.dataset.blink.split(" ").map((name) => nav.querySelector(`[data-plane="${name}"]`));
    const next = () => show(nav, viewer, pair.find((button) => button.getAttribute("aria-pressed") !== "true"));
    blink.setAttribute("aria-pressed", "true");
    next();
    timer = setInterval(next, EVERY_MS);
  });
}

function show(nav, viewer, chosen) {
  for (const button of nav.querySelectorAll("[data-plane]")) button.setAttribute("aria-pressed", String(button === chosen));
  viewer.dataset.tiles = chosen.dataset.tiles;
  viewer.dataset.pixel = chosen.dataset.pixel;
  viewer.dispatchEvent(new Event("change")); // the viewer draws again
}
