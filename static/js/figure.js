// <div data-figure="URL">: when scrolled into view, load Plotly once, fetch the figure's JSON and draw it in the theme's
// colours. A click follows the point's own path on this site. data-every="10" fetches again.
import { refusal } from "./refusal.js";
import { colour } from "./theme.js";

// Plotly 4 offers by default to upload the chart to its company's cloud: never from here.
const CONFIG = { displaylogo: false, showSendToCloud: false, plotlyServerURL: "", responsive: true };
const drawn = new Map(); // element → {figure, etag}
let plotly = null;

export function startFigures() {
  for (const element of document.querySelectorAll("[data-figure]:not([data-watched])")) {
    element.dataset.watched = "1";
    inView.observe(element);
  }
}

const inView = new IntersectionObserver((entries) => {
  for (const entry of entries.filter(({ isIntersecting }) => isIntersecting)) {
    inView.unobserve(entry.target);
    show(entry.target);
  }
});

document.addEventListener("dayops:theme", () => {
  for (const element of drawn.keys()) element.isConnected ? draw(element) : drawn.delete(element);
});

function loadPlotly() {
  plotly ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = document.body.dataset.plotly;
    script.onload = () => resolve(window.Plotly);
    script.onerror = () => {
      plotly = null;
      reject(new Error("the drawing library did not load"));
    };
    document.head.append(script);
  });
  return plotly;
}

async function show(element) {
  try {
    if (await fetchFigure(element)) await draw(element);
  } catch (error) {
    fail(element, error);
  }
  const every = Number(element.dataset.every);
  if (every) setTimeout(() => element.isConnected && show(element), 1000 * (document.hidden ? 10 * every : every));
}

async function fetchFigure(element) {
  const known = drawn.get(element);
  const headers = { "X-DayOps-Fragment": "1", Accept: "application/json", ...(known ? { "If-None-Match": known.etag } : {}) };
  const response = await fetch(element.dataset.figure, { headers, cache: "no-store", credentials: "same-origin" });
  if (response.status === 304) return false;
  if (!response.ok) throw new Error(await refusal(response));
  drawn.set(element, { figure: await response.json(), etag: response.headers.get("ETag") || "" });
  return true;
}

async function draw(element) {
  const Plotly = await loadPlotly();
  const { figure } = drawn.get(element);
  const layout = themed(structuredClone(figure.layout || {}));
  layout.height ??= Number.parseInt(getComputedStyle(element).getPropertyValue("--plot-height"), 10) || 320;
  if (!element.classList.contains("js-plotly-plot")) element.replaceChildren();
  element.classList.remove("failed");
  await Plotly.react(element, structuredClone(figure.data || []), layout, CONFIG);
  if (!element.dataset.clicks) {
    element.dataset.clicks = "1";
    element.on("plotly_click", ({ points }) => follow(points[0], element.layout.meta?.links));
  }
  element.classList.toggle("clickable", Boolean(figure.layout?.meta?.links) || (figure.data || []).some((trace) => trace.customdata));
  element.dataset.state = "drawn";
}

function themed(layout) {
  const template = (layout.template ??= {});
  const shared = (template.layout ??= {});
  const axis = { gridcolor: colour("line"), linecolor: colour("line"), tickcolor: colour("line"), zerolinecolor: colour("line") };
  Object.assign(shared, { paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)" });
  shared.font = { ...shared.font, color: colour("text") };
  shared.xaxis = { ...shared.xaxis, ...axis };
  shared.yaxis = { ...shared.yaxis, ...axis };
  shared.shapedefaults = { line: { color: colour("quiet") } };
  shared.hoverlabel = { bgcolor: colour("raised"), bordercolor: colour("line"), font: { color: colour("text") } };
  shared.modebar = { bgcolor: "rgba(0,0,0,0)", color: colour("quiet"), activecolor: colour("accent") };
  return layout;
}

// A point's address is its customdata (a path, or an array or object with one), its trace's meta, or else
// layout.meta.links at its number.
function follow(point, links) {
  const data = point?.customdata;
  const candidates = [data, data?.url, ...(Array.isArray(data) ? data : []), point?.data?.meta, links?.[point?.pointNumber]];
  const url = candidates.find(isPath);
  if (url) location.assign(url);
}

function isPath(text) {
  return typeof text === "string" && /^\/(?![/\\])/.test(text);
}

function fail(element, error) {
  if (drawn.has(element)) return; // an old figure is better than none; the page's banner says that it is stale
  const message = document.createElement("p");
  message.className = "plot-state";
  message.textContent = `The figure cannot be shown: ${error.message.replace(/\.$/, "")}. `;
  if (element.dataset.table) {
    message.append(Object.assign(document.createElement("a"), { href: element.dataset.table, textContent: "See the data as a table" }));
  }
  element.classList.add("failed");
  element.dataset.state = "failed";
  element.replaceChildren(message);
}
