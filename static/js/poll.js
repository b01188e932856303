// <div id="…" data-poll="URL" data-every="2">: fetch the fragment again and again and put it in place when it changed.
// A fragment that contains [data-poll-done] is the last. When fetching fails the page says that it is stale, and since when.
import { serverNow, setServerTime } from "./clock.js";

const HIDDEN_FACTOR = 10;
const SLOWEST_S = 30;
const PATIENCE_MS = 6000; // a server that hangs is noticed sooner than the request is given up
const polled = new Map(); // element → {etag, failures, busy, since, asked, timer}

export function startPolling() {
  for (const element of document.querySelectorAll("[data-poll]")) watch(element);
  setInterval(showStaleness, 1000);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) for (const element of polled.keys()) refresh(element);
  });
}

function watch(element) {
  if (polled.has(element)) return;
  polled.set(element, { etag: null, failures: 0, busy: false, since: serverNow(), timer: null });
  schedule(element);
}

function schedule(element) {
  const state = polled.get(element);
  const every = Number(element.dataset.every || 5);
  const slowed = Math.min(Math.max(every, SLOWEST_S), every * 2 ** Math.min(state.failures, 4));
  clearTimeout(state.timer);
  state.timer = setTimeout(() => refresh(element), 1000 * (document.hidden ? every * HIDDEN_FACTOR : slowed));
}

export async function refresh(element) {
  const state = polled.get(element);
  if (!state || state.busy) return;
  if (!element.isConnected) return void polled.delete(element);
  state.busy = true;
  state.asked = performance.now();
  try {
    await update(element, state);
    state.failures = 0;
    state.since = serverNow();
  } catch (error) {
    state.failures += 1;
    state.signedOut = error.status === 401;
  } finally {
    state.busy = false;
  }
  showStaleness();
  if (element.querySelector("[data-poll-done]")) polled.delete(element);
  else schedule(element);
}

async function update(element, state) {
  const headers = { "X-DayOps-Fragment": "1" };
  if (state.etag) headers["If-None-Match"] = state.etag;
  const response = await fetch(element.dataset.poll, { headers, cache: "no-store", credentials: "same-origin", signal: AbortSignal.timeout(15000) });
  setServerTime(Date.parse(response.headers.get("Date")) + 500);
  if (response.status === 304) return;
  if (!response.ok) throw Object.assign(new Error(response.statusText), { status: response.status });
  const html = await response.text();
  if (isBeingUsed(element)) return; // without the new ETag, so that the next round brings it
  state.etag = response.headers.get("ETag");
  replace(element, html);
  element.dispatchEvent(new CustomEvent("dayops:updated", { bubbles: true }));
}

function isBeingUsed(element) {
  const focused = element.contains(document.activeElement) ? document.activeElement : null;
  return focused?.matches("input:not([type=checkbox]), textarea, select") || element.querySelector("dialog[open]") !== null;
}

function replace(element, html) {
  const scrolled = [...element.querySelectorAll(".table-scroll, .log")].map((box) => [box.scrollTop, box.scrollLeft]);
  const open = new Set([...element.querySelectorAll("details[open][id]")].map((details) => details.id));
  const focused = element.contains(document.activeElement) ? path(element, document.activeElement) : null;
  element.innerHTML = html;
  [...element.querySelectorAll(".table-scroll, .log")].forEach((box, i) => {
    if (scrolled[i]) [box.scrollTop, box.scrollLeft] = scrolled[i];
  });
  for (const id of open) element.querySelector(`details#${CSS.escape(id)}`)?.setAttribute("open", "");
  if (focused) find(element, focused)?.focus({ preventScroll: true });
}

// A focused link is found again by its id or address, or else by its place among the focusable.
const FOCUSABLE = "a[href], button, [tabindex]";

function path(root, node) {
  return { id: node.id, href: node.getAttribute("href"), index: [...root.querySelectorAll(FOCUSABLE)].indexOf(node) };
}

function find(root, { id, href, index }) {
  if (id) return document.getElementById(id);
  if (href) return root.querySelector(`a[href="${CSS.escape(href)}"]`);
  return root.querySelectorAll(FOCUSABLE)[index];
}

function isStale(state) {
  return state.failures >= 2 || (state.busy && performance.now() - state.asked > PATIENCE_MS);
}

function showStaleness() {
  const banner = document.getElementById("stale");
  const failing = [...polled.entries()].filter(([, state]) => isStale(state));
  for (const [element, state] of polled) element.classList.toggle("is-stale", isStale(state));
  if (!banner) return;
  banner.hidden = failing.length === 0;
  if (banner.hidden) return;
  const since = new Date(Math.min(...failing.map(([, state]) => state.since))).toISOString().slice(11, 19);
  banner.textContent = failing.some(([, state]) => state.signedOut)
    ? `This page is stale since ${since} UTC: you are signed out. `
    : `This page is stale since ${since} UTC: the server does not answer. Trying again.`;
  if (failing.some(([, state]) => state.signedOut)) {
    const link = Object.assign(document.createElement("a"), { href: location.href, textContent: "Sign in again" });
    banner.append(link);
  }
}
