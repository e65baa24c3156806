// Talks with the site and with storage, and tries again what may go better later.

const TRIES = 7;
const FIRST_WAIT = 500; // milliseconds, doubled each time

// What will not go better: its message is for the reader.
export class Refused extends Error {
  name = "Refused";
}

// The reader paused or cancelled.
export class Stopped extends Error {}

const BROKEN = "The connection broke. What has arrived is kept: resume when it is back.";
const ENDED = "This upload has ended. Please choose the file again.";
const SIGNED_OUT = "Your session has ended. Sign in again and choose the same file: what has arrived is kept.";
const STALE = "This page was open for too long. Reload it and choose the same file again: what has arrived is kept.";

// Posts fields to the site and returns what it answers.
export async function post(url, token, fields, signal) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.set(name, value);
  const headers = { Accept: "application/json", "X-CSRFToken": token };
  const answer = await fetch(url, { method: "POST", body, headers, redirect: "manual", signal });
  if (answer.type === "opaqueredirect") throw new Refused(SIGNED_OUT);
  const closed = answer.status === 503 && answer.headers.get("Content-Type") === "application/json";
  if (answer.status === 422 || closed) throw new Refused((await answer.json()).problem);
  if (answer.status === 404) throw new Refused(ENDED);
  if (answer.status === 403) throw new Refused(STALE);
  if (!answer.ok) throw new Error(`The site answered ${answer.status}.`);
  return answer.status === 204 ? {} : answer.json();
}

// Sends bytes to storage; `fetch` cannot tell how far it is.
export function put({ url, headers }, bytes, { onProgress, signal }) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    signal.addEventListener("abort", abort, { once: true });
    request.upload.addEventListener("progress", (event) => onProgress(event.loaded));
    request.addEventListener("load", () => (request.status === 200 ? resolve() : reject(refusal(request))));
    request.addEventListener("error", () => reject(new Error(BROKEN)));
    request.addEventListener("abort", () => reject(new Stopped()));
    request.addEventListener("loadend", () => signal.removeEventListener("abort", abort));
    request.open("PUT", url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.send(bytes);
  });
}

function refusal({ responseText, status }) {
  const code = /<Code>(\w+)<\/Code>/.exec(responseText)?.[1] ?? status;
  return code === "NoSuchUpload" ? new Refused(ENDED) : new Error(`Storage refused a part (${code}).`);
}

// Does something until it succeeds, ever more patiently; the last failure is thrown.
export async function patiently(what, signal, onFailure) {
  for (let tries = 1; ; tries += 1) {
    if (signal.aborted) throw new Stopped();
    try {
      return await what();
    } catch (problem) {
      if (signal.aborted) throw new Stopped();
      if (problem instanceof Refused || problem.name === "NotReadableError") throw problem;
      if (tries === TRIES) throw problem.name === "TypeError" ? new Error(BROKEN) : problem;
    }
    onFailure();
    await rest(FIRST_WAIT * 2 ** (tries - 1), signal);
  }
}

// Waits, but no longer than until the network is back or the reader has had enough.
function rest(milliseconds, signal) {
  return new Promise((resolve) => {
    const over = () => {
      clearTimeout(timer);
      removeEventListener("online", over);
      signal.removeEventListener("abort", over);
      resolve();
    };
    const timer = setTimeout(over, milliseconds);
    addEventListener("online", over);
    signal.addEventListener("abort", over);
  });
}
