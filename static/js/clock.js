// Clocks and countdowns, by the server's time: a browser's clock may be wrong, the operations' clock may not.
let offset = 0; // server − browser, ms

// Answers tell whole seconds: a difference below two of them is no reason to make the clocks jump.
export function setServerTime(milliseconds) {
  const found = milliseconds - Date.now();
  if (Math.abs(found - offset) > 2000) offset = found;
}

export function serverNow() {
  return new Date(Date.now() + offset);
}

const formats = new Map();

function timeIn(zone, at) {
  if (!formats.has(zone)) {
    formats.set(zone, new Intl.DateTimeFormat("en-GB", { timeZone: zone, hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" }));
  }
  return formats.get(zone).format(at);
}

export function span(milliseconds) {
  const seconds = Math.floor(Math.abs(milliseconds) / 1000);
  const part = (value) => String(value).padStart(2, "0");
  const days = Math.floor(seconds / 86400);
  if (days > 1) return `${days} d ${Math.floor((seconds % 86400) / 3600)} h`;
  return `${Math.floor(seconds / 3600)}:${part(Math.floor(seconds / 60) % 60)}:${part(seconds % 60)}`;
}

function show() {
  const now = serverNow();
  const tai = new Date(now.getTime() + 1000 * Number(document.body.dataset.taiOffset || 37));
  for (const clock of document.querySelectorAll("[data-clock]")) {
    const zone = clock.dataset.clock;
    clock.textContent = zone === "TAI" ? timeIn("UTC", tai) : timeIn(zone, now);
  }
  for (const element of document.querySelectorAll("[data-countdown]")) {
    const left = Date.parse(element.dataset.countdown) - now.getTime();
    element.textContent = span(left);
    const label = element.parentElement.querySelector("[data-before][data-after]");
    if (label) label.textContent = left >= 0 ? label.dataset.before : label.dataset.after;
  }
}

function everySecond() {
  show();
  setTimeout(everySecond, 1000 - (serverNow().getTime() % 1000));
}

export function startClocks() {
  offset = Date.parse(document.body.dataset.now) - Date.now();
  everySecond();
}
