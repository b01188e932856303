// The theme is kept in a cookie, so that the server's first paint already has it.
export function startThemes() {
  const buttons = document.querySelectorAll("[data-theme-choice]");
  for (const button of buttons) {
    button.addEventListener("click", () => {
      const name = button.dataset.themeChoice;
      document.documentElement.dataset.theme = name;
      document.cookie = `theme=${name}; path=/; max-age=31536000; samesite=lax`;
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      document.dispatchEvent(new CustomEvent("dayops:theme", { detail: name }));
    });
  }
}

export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}
