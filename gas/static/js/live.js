// What htmx leaves to us: countdowns, and a poll that meets the sign-in page or no server at all.

const deadlines = new WeakMap();

function shown(seconds) {
  const pad = (number) => String(number).padStart(2, "0");
  const [days, hours] = [Math.floor(seconds / 86400), Math.floor((seconds % 86400) / 3600)];
  const minutes = Math.floor((seconds % 3600) / 60);
  if (days) return `${days} d ${hours} h`;
  return hours ? `${hours}:${pad(minutes)}:${pad(seconds % 60)}` : `${minutes}:${pad(seconds % 60)}`;
}

// Counted from the seconds that the server names, so that a wrong clock here does no harm.
function tick() {
  for (const element of document.querySelectorAll("[data-seconds]")) {
    if (!deadlines.has(element)) {
      deadlines.set(element, performance.now() + 1000 * Number(element.dataset.seconds));
    }
    const left = Math.round((deadlines.get(element) - performance.now()) / 1000);
    element.textContent = shown(Math.max(0, left));
    if (left <= 0) {
      element.removeAttribute("data-seconds");
      element.dispatchEvent(new CustomEvent("due", { bubbles: true }));
    }
  }
}

// What somebody has unfolded stays so.
let unfolded = [];
document.body.addEventListener("htmx:beforeSwap", () => {
  unfolded = [...document.querySelectorAll("details[open]")].map((details) => details.id);
});
document.body.addEventListener("htmx:afterSwap", () => {
  for (const id of unfolded) document.getElementById(id)?.setAttribute("open", "");
});

document.body.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, pathInfo } = event.detail;
  const asked = new URL(pathInfo.finalRequestPath, location.href);
  if (new URL(xhr.responseURL, location.href).pathname !== asked.pathname) {
    event.detail.shouldSwap = false; // the session has ended: let the whole page say so
    location.reload();
  }
});

// A page that nobody looks at asks nothing, where that is enough.
document.body.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden && event.target.closest("[data-while-visible]")) event.preventDefault();
});

// A job that was removed answers 404 for ever; anything else is asked again by the next poll.
document.body.addEventListener("htmx:responseError", (event) => {
  if (event.detail.xhr.status === 404) location.reload();
});

tick();
setInterval(tick, 1000);
