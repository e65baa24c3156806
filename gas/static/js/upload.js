// Files that somebody chose: looked at, sent one after another, each a job of its own.

import { firstLook } from "./upload/first_look.js";
import { Transfer } from "./upload/transfer.js";
import { Stopped } from "./upload/wire.js";
import { size, timeLeft } from "./upload/words.js";

const form = document.querySelector("#upload");
const part = (name, within = form) => within.querySelector(`[data-${name}]`);
const input = form.querySelector("#file");
const token = form.elements.csrfmiddlewaretoken.value;
const assemblies = JSON.parse(form.dataset.assemblies);
const references = [...form.querySelectorAll("[data-assembly]")].map((option) => option.dataset.assembly);
const entries = [];

// A row of the list: its file, what it looks like, how far it is.
class Entry {
  constructor(file) {
    this.file = file;
    this.row = part("row").content.cloneNode(true).firstElementChild;
    part("file-name", this.row).textContent = file.name;
    part("about", this.row).textContent = size(file.size);
    for (const button of this.row.querySelectorAll("button")) {
      button.setAttribute("aria-label", `${button.textContent.trim()}: ${file.name}`);
    }
    this.on("remove", () => this.remove());
    this.on("pause", () => this.transfer.pause());
    this.on("resume", () => this.resume());
    this.on("cancel", () => this.cancel());
    addEventListener("online", () => this.state === "broken" && this.resume());
    this.show("new");
  }

  on(button, what) {
    part(button, this.row).addEventListener("click", what);
  }

  async look() {
    const found = await firstLook(this.file, assemblies).catch(() => ({ problem: "The file cannot be read." }));
    this.assembly = found.assembly ?? "";
    this.wrong = this.file.size > Number(form.dataset.most)
      ? `The file has ${size(this.file.size)}; your plan takes up to ${form.dataset.mostShown}.`
      : found.problem;
    const told = this.assembly ? `${this.assembly} by its contig lengths` : "assembly not told in its header";
    if (!this.wrong) part("about", this.row).textContent = `${size(this.file.size)} · ${found.format} · ${told}`;
    this.judge();
  }

  // Whether it can be sent, with the reference that is chosen now.
  judge() {
    if (this.state !== "new" && this.state !== "wrong") return;
    const chosen = chosenReference();
    const fits = !this.assembly || (chosen ? chosen.dataset.assembly === this.assembly : references.includes(this.assembly));
    const has = chosen ? `the chosen reference is ${chosen.dataset.assembly}` : `this server annotates ${[...new Set(references)].join(" and ")}`;
    const problem = this.wrong || (fits ? "" : `The file looks like ${this.assembly} by its contig lengths; ${has}.`);
    this.show(problem ? "wrong" : "new", problem);
  }

  show(state, problem = "") {
    this.state = state;
    const shown = {
      progress: ["sending", "paused", "broken", "checking"],
      pause: ["sending"],
      resume: ["paused", "broken", "refused"],
      cancel: ["sending", "paused", "broken", "refused"],
      remove: ["new", "wrong", "waiting", "cancelled"],
      result: ["done"],
    };
    for (const [name, states] of Object.entries(shown)) part(name, this.row).hidden = !states.includes(state);
    const place = part("problem", this.row);
    if (place.textContent !== problem) place.textContent = problem;
    place.hidden = !problem;
    arrange();
  }

  // Sends the file and asks for its annotation; never fails, but says what went wrong.
  async send() {
    const onFailure = () => (part("pace", this.row).textContent = "interrupted, trying again");
    this.transfer ??= new Transfer(this.file, { begin: form.dataset.begin, token, onProgress: () => this.report(), onFailure });
    this.show("sending");
    try {
      this.job = await this.transfer.run(() => this.fields());
      part("job", this.row).href = this.job;
      this.show("done");
    } catch (problem) {
      if (this.state === "cancelled") return;
      if (problem instanceof Stopped) this.show("paused");
      else if (problem.name === "Refused") this.show("refused", problem.message);
      else if (problem.name === "NotReadableError") this.show("refused", "The file was changed or removed while it was sent.");
      else this.show("broken", problem.message);
    }
  }

  fields() {
    this.show("checking");
    part("pace", this.row).textContent = "being checked";
    const { name, bundle, notes } = form.elements;
    return { name: entries.length === 1 ? name.value : this.file.name.slice(0, name.maxLength), bundle: bundle.value, notes: notes.value };
  }

  resume() {
    this.show("waiting");
    sendAll();
  }

  async cancel() {
    const { transfer } = this;
    this.transfer = null;
    this.show("cancelled");
    part("about", this.row).textContent = "Cancelled; nothing of it is kept.";
    await transfer.cancel().catch(() => {}); // what cannot be told now goes by itself after a while
  }

  remove() {
    entries.splice(entries.indexOf(this), 1);
    this.row.remove();
    arrange();
    input.focus();
  }

  report() {
    if (this.state !== "sending") return;
    const { loaded, speed, ticket } = this.transfer;
    forgetUnfinished(ticket.cancel);
    const total = this.file.size;
    const percent = Math.floor((100 * loaded) / total);
    part("bar", this.row).value = percent;
    part("done", this.row).textContent = `${percent} % · ${size(loaded)} of ${size(total)}`;
    const rest = loaded < total ? timeLeft((total - loaded) / speed) : "being checked";
    part("pace", this.row).textContent = speed ? `${size(speed)}/s · ${rest}` : "";
    say(`${this.file.name}: ${25 * Math.floor(percent / 25)} % uploaded`);
  }
}

function chosenReference() {
  const option = form.querySelector("[data-assembly]:checked");
  return option?.value ? option : null;
}

// What goes on here is no longer offered as unfinished.
function forgetUnfinished(address) {
  const row = document.querySelector(`form[action="${address}"]`)?.closest("li");
  if (row) (row.parentElement.children.length > 1 ? row : row.closest("section")).remove();
}

function say(words) {
  if (part("said").textContent !== words) part("said").textContent = words;
}

// Shows what there is to do: a name for one file, one button for all.
function arrange() {
  const ready = entries.filter((entry) => entry.state === "new").length;
  const begun = entries.some((entry) => !["new", "wrong"].includes(entry.state));
  part("fields").hidden = entries.every((entry) => entry.wrong) || begun;
  part("start").disabled = !ready;
  part("start").textContent = ready > 1 ? `Upload and annotate ${ready} files` : "Upload and annotate";
  part("one").hidden = entries.length !== 1;
  for (const option of form.querySelectorAll("[data-assembly]")) {
    const known = entries.filter((entry) => entry.assembly && !entry.wrong);
    option.disabled = option.value !== "" && known.length > 0 && !known.some((entry) => entry.assembly === option.dataset.assembly);
  }
}

async function choose(files) {
  const added = [...files].map((file) => new Entry(file));
  entries.push(...added);
  part("rows").append(...added.map((entry) => entry.row));
  input.value = "";
  await Promise.all(added.map((entry) => entry.look()));
  if (entries.length === 1) form.elements.name.value = entries[0].file.name.slice(0, form.elements.name.maxLength);
  if (!part("start").disabled) part("start").focus();
}

let sending = false;

// Sends what waits, one file at a time: four parts of one file fill the line.
async function sendAll() {
  if (sending) return;
  sending = true;
  for (let next; (next = entries.find((entry) => entry.state === "waiting")); ) await next.send();
  sending = false;
  if (entries.length === 1 && entries[0].job) location.assign(entries[0].job);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  for (const entry of entries.filter((each) => each.state === "new")) entry.show("waiting");
  sendAll();
  form.querySelector("[data-pause]:not([hidden])")?.focus();
});
form.addEventListener("change", (event) => {
  if (event.target.name === "bundle") entries.forEach((entry) => entry.judge());
});
input.addEventListener("change", () => choose(input.files));
part("use-paste").addEventListener("click", () => {
  const pasted = form.querySelector("#pasted");
  if (pasted.value) choose([new File([pasted.value], "pasted.vcf")]);
  else pasted.focus();
});
for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
  part("drop").addEventListener(kind, (event) => {
    event.preventDefault();
    part("drop").classList.toggle("drop-over", kind === "dragenter" || kind === "dragover");
    if (kind === "drop") choose(event.dataTransfer.files);
  });
}
