// Ticks all jobs of the page at once and counts them; a list with ticked jobs holds still.

const boxes = () => [...document.querySelectorAll("#job-list [name=job]")];

document.body.addEventListener("change", (event) => {
  const all = document.querySelector("#tick-all");
  if (!all) return; // an empty list
  if (event.target === all) boxes().forEach((box) => (box.checked = all.checked));
  const ticked = boxes().filter((box) => box.checked).length;
  all.checked = ticked === boxes().length;
  all.indeterminate = ticked > 0 && !all.checked;
  document.querySelector("#ticked").textContent = ticked ? ` (${ticked})` : "";
});

document.body.addEventListener("htmx:beforeRequest", (event) => {
  if (event.target.id === "job-list" && boxes().some((box) => box.checked)) event.preventDefault();
});
