// Sends a chosen file straight to storage, shows how far it is, then asks for its annotation.

const form = document.querySelector("#upload");
const part = (name) => form.querySelector(`[data-${name}]`);
const input = form.querySelector("#file");
const most = Number(form.dataset.most);
let file = null;
let request = null;

function size(bytes) {
  const units = ["bytes", "KB", "MB", "GB"];
  let unit = 0;
  for (; bytes >= 1024 && unit < 3; unit += 1) bytes /= 1024;
  return `${unit ? bytes.toFixed(1) : bytes} ${units[unit]}`;
}

function timeLeft(seconds) {
  if (seconds < 60) return `${Math.ceil(seconds)} s left`;
  return seconds < 3600 ? `${Math.ceil(seconds / 60)} min left` : `${(seconds / 3600).toFixed(1)} h left`;
}

function say(problem) {
  part("problem").textContent = problem;
  part("problem").hidden = !problem;
}

function show(state) {
  part("drop").hidden = state !== "empty";
  part("chosen").hidden = state === "empty";
  part("clear").hidden = state === "sending";
  part("fields").hidden = state !== "chosen";
  part("progress").hidden = state !== "sending";
}

// A first look that saves a vain upload; the server looks again and only its word counts.
async function looksWrong(chosen) {
  if (chosen.size === 0) return "The file is empty.";
  if (chosen.size > most) {
    return `The file has ${size(chosen.size)}; your plan takes up to ${form.dataset.mostShown}.`;
  }
  const start = new Uint8Array(await chosen.slice(0, 16).arrayBuffer());
  const packed = start[0] === 0x1f && start[1] === 0x8b;
  const text = new TextDecoder("latin1").decode(start);
  if (packed || text.startsWith("##fileformat=VCF") || text.startsWith("BCF\x02")) return "";
  return "This does not look like a VCF: its first line is not ##fileformat=VCFv4.";
}

async function choose(chosen) {
  say("");
  const problem = await looksWrong(chosen);
  if (problem) {
    clear();
    say(`${chosen.name}: ${problem}`);
    return;
  }
  file = chosen;
  part("file-name").textContent = file.name;
  part("file-size").textContent = size(file.size);
  form.elements.name.value = file.name.slice(0, form.elements.name.maxLength);
  show("chosen");
  part("start").focus();
}

function clear() {
  file = null;
  input.value = "";
  show("empty");
}

async function begin() {
  const body = new FormData();
  body.set("filename", file.name);
  const headers = { Accept: "application/json", "X-CSRFToken": form.elements.csrfmiddlewaretoken.value };
  const answer = await fetch(form.dataset.begin, { method: "POST", body, headers, redirect: "error" });
  if (answer.status !== 201) throw new Error(`the site answered ${answer.status}`);
  return answer.json();
}

function send({ url, fields }) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.set(name, value);
  body.set("file", file); // S3 ignores every field behind the file
  const started = performance.now();
  return new Promise((resolve, reject) => {
    request = new XMLHttpRequest();
    request.upload.addEventListener("progress", (event) => report(event, started));
    request.addEventListener("load", () => (request.status < 300 ? resolve() : reject(refusal(request))));
    request.addEventListener("error", () =>
      reject(new Error("The connection broke before the file had arrived. Please try again.")));
    request.addEventListener("abort", () => reject(null));
    request.open("POST", url);
    request.send(body);
  });
}

function refusal({ responseText, status }) {
  const code = /<Code>(\w+)<\/Code>/.exec(responseText)?.[1] ?? status;
  if (code === "EntityTooLarge") {
    return new Error(`Storage refused the file: it is larger than ${form.dataset.mostShown}.`);
  }
  return new Error(`Storage refused the file (${code}). Please try again.`);
}

function report({ loaded, total }, started) {
  const percent = Math.floor((100 * loaded) / total);
  const speed = loaded / Math.max(0.001, (performance.now() - started) / 1000);
  form.querySelector("#bar").value = percent;
  part("done").textContent = `${percent} % · ${size(loaded)} of ${size(total)}`;
  const rest = loaded < total ? timeLeft((total - loaded) / speed) : "being checked";
  part("pace").textContent = `${size(Math.round(speed))}/s · ${rest}`;
  const quarter = 25 * Math.floor(percent / 25);
  if (part("said").textContent !== `${quarter} % uploaded`) part("said").textContent = `${quarter} % uploaded`;
}

async function start() {
  say("");
  show("sending");
  part("cancel").focus();
  try {
    const ticket = await begin();
    await send(ticket);
    form.action = ticket.submit;
    form.submit();
  } catch (problem) {
    show("chosen");
    say(problem === null ? "" : problem.name === "TypeError" ? "The site does not answer. Please try again." : problem.message);
  }
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (file) start();
});
input.addEventListener("change", () => input.files[0] && choose(input.files[0]));
part("clear").addEventListener("click", () => {
  clear();
  input.focus();
});
part("cancel").addEventListener("click", () => request?.abort());
for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
  part("drop").addEventListener(kind, (event) => {
    event.preventDefault();
    part("drop").classList.toggle("drop-over", kind === "dragenter" || kind === "dragover");
    if (kind === "drop" && event.dataTransfer.files[0]) choose(event.dataTransfer.files[0]);
  });
}
