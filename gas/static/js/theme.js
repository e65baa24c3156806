// Chooses light or dark before anything is drawn, and lets the reader change it.
// A plain script in the head: a module would run after the first paint, in the wrong colours.
(() => {
  const root = document.documentElement;
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  const remembered = () => {
    try {
      return localStorage.getItem("theme");
    } catch {
      return null; // storage is switched off in this browser
    }
  };
  const apply = () => {
    root.dataset.bsTheme = remembered() ?? (prefersDark.matches ? "dark" : "light");
  };
  const toggle = () => {
    const chosen = root.dataset.bsTheme === "dark" ? "light" : "dark";
    try {
      localStorage.setItem("theme", chosen);
    } catch {
      // Then it holds for this page only.
    }
    root.dataset.bsTheme = chosen;
  };
  apply();
  root.classList.add("js");
  prefersDark.addEventListener("change", apply);
  document.addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector("[data-theme-toggle]");
    button.hidden = false;
    button.addEventListener("click", toggle);
  });
})();
