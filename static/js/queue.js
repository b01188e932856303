// A table to work off with keys: rows carry a radio button, one row is chosen. [data-move] goes to the next or previous
// row, [data-open] and Enter follow the chosen row's link. Without this script the radio buttons do it by hand.
const radios = [...document.querySelectorAll('input[type=radio][form="review"]')];
const PLACE = `queue:${location.pathname}`;

function chosen() {
  return radios.findIndex((radio) => radio.checked);
}

function choose(number) {
  const radio = radios[Math.max(0, Math.min(radios.length - 1, number))];
  if (!radio) return;
  radio.checked = true;
  mark();
  radio.focus({ preventScroll: true });
  radio.closest("tr").scrollIntoView({ block: "nearest" });
}

function mark() {
  for (const radio of radios) {
    if (radio.checked) radio.closest("tr").setAttribute("aria-current", "true");
    else radio.closest("tr").removeAttribute("aria-current");
  }
}

function open() {
  const link = radios[chosen()]?.closest("tr").querySelector("a[href]");
  if (link) location.assign(link.href);
}

for (const button of document.querySelectorAll("[data-move]")) {
  button.hidden = false;
  button.addEventListener("click", () => choose(chosen() + Number(button.dataset.move)));
}
for (const button of document.querySelectorAll("[data-open]")) {
  button.hidden = false;
  button.addEventListener("click", open);
}
for (const radio of radios) radio.addEventListener("change", mark);

document.addEventListener("keydown", (event) => {
  const free = event.target === document.body || event.target.matches('input[type=radio][form="review"]');
  if (event.key !== "Enter" || !free || chosen() < 0) return;
  event.preventDefault();
  open();
});

// After a judgement the page comes back: the row after the judged one is chosen, wherever the queue put the judged one.
document.getElementById("review")?.addEventListener("submit", () => {
  const next = radios[chosen() + 1] ?? radios[chosen() - 1];
  if (next) sessionStorage.setItem(PLACE, next.value);
});
const kept = sessionStorage.getItem(PLACE);
sessionStorage.removeItem(PLACE);
choose(Math.max(0, radios.findIndex((radio) => radio.value === kept)));
