// Keys are declared where they act: <a data-key="ArrowLeft" data-key-title="previous day">, data-key="g b", data-key="/".
// `?` lists them. Keys do nothing while someone types, and with Ctrl, Alt or Meta held.
const PATIENCE_MS = 1500;
const SYMBOLS = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", Escape: "Esc" };
let pending = "";
let pendingTimer = 0;

export function startKeyboard() {
  document.addEventListener("keydown", pressed);
  for (const opener of document.querySelectorAll("[data-dialog]")) {
    opener.addEventListener("click", (event) => {
      event.preventDefault();
      openDialog(opener.dataset.dialog);
    });
  }
}

function pressed(event) {
  if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "?") return void openDialog("keys");
  const sequence = pending ? `${pending} ${event.key}` : event.key;
  const target = document.querySelector(`[data-key="${CSS.escape(sequence)}"]`);
  forget();
  if (target) {
    event.preventDefault();
    act(target);
  } else if (document.querySelector(`[data-key^="${CSS.escape(event.key)} "]`)) {
    pending = event.key;
    pendingTimer = setTimeout(forget, PATIENCE_MS);
  }
}

function isTyping(element) {
  return element.isContentEditable || element.matches("input:not([type=checkbox]):not([type=radio]), textarea, select");
}

function act(target) {
  if (target.matches("input, select, textarea")) target.focus();
  else target.click();
}

function forget() {
  clearTimeout(pendingTimer);
  pending = "";
}

function openDialog(id) {
  const dialog = document.getElementById(id);
  const list = dialog?.querySelector("[data-keys]");
  if (list) list.replaceChildren(...known());
  dialog?.showModal();
}

function known() {
  const titles = new Map([["?", "this list"]]);
  for (const element of document.querySelectorAll("[data-key]")) {
    titles.set(element.dataset.key, element.dataset.keyTitle || element.textContent.trim());
  }
  return [...titles].flatMap(([keys, title]) => {
    const term = document.createElement("dt");
    term.append(...keys.split(" ").map((key) => Object.assign(document.createElement("kbd"), { textContent: SYMBOLS[key] || key })));
    return [term, Object.assign(document.createElement("dd"), { textContent: title })];
  });
}
