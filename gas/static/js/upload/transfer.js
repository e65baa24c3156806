// One file on its way to storage, part by part; it can be paused, and goes on after a reload.

import { patiently, post, put, Stopped } from "./wire.js";

const AT_ONCE = 4;
const START = 64 * 1024; // bytes by which the site knows a file again
const PACE = 15_000; // milliseconds over which the speed is taken

async function sha256(blob) {
  const digest = await crypto.subtle.digest("SHA-256", await blob.arrayBuffer());
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Transfer {
  constructor(file, { begin, token, onProgress, onFailure }) {
    Object.assign(this, { file, begin, token, onProgress, onFailure });
    this.ticket = null;
    this.done = new Set(); // numbers of parts that have arrived
    this.arrived = 0; // their bytes
    this.flying = new Map(); // bytes on their way, by part
    this.sent = 0; // bytes that went over the wire, for the speed
    this.samples = [];
    this.stop = new AbortController();
  }

  // Sends what has not arrived yet, then submits; returns the address of the job.
  async run(fields) {
    this.stop = new AbortController();
    this.samples = [];
    this.ticket ??= await this.#ask(this.begin, {
      filename: this.file.name,
      size: this.file.size,
      first_bytes: await sha256(this.file.slice(0, START)),
    });
    await this.#sendAll();
    return (await this.#ask(this.ticket.submit, fields())).job;
  }

  pause() {
    this.stop.abort();
  }

  // Leaves nothing behind, here or in storage.
  async cancel() {
    this.stop.abort();
    if (this.ticket) await post(this.ticket.cancel, this.token, {});
  }

  get loaded() {
    return [...this.flying.values()].reduce((bytes, more) => bytes + more, this.arrived);
  }

  // Bytes a second of late; nothing before there is anything to tell.
  get speed() {
    const [first, last] = [this.samples[0], this.samples.at(-1)];
    return last && last.at > first.at ? (1000 * (last.sent - first.sent)) / (last.at - first.at) : 0;
  }

  #ask(url, fields) {
    const { signal } = this.stop;
    return patiently(() => post(url, this.token, fields, signal), signal, this.onFailure);
  }

  #part(number) {
    const start = (number - 1) * this.ticket.partBytes;
    return this.file.slice(start, start + this.ticket.partBytes);
  }

  async #sendAll() {
    const count = Math.ceil(this.file.size / this.ticket.partBytes);
    const waiting = Array.from({ length: count }, (_, at) => at + 1).filter((number) => !this.done.has(number));
    const lane = async () => {
      while (waiting.length) await this.#send(waiting.shift());
    };
    const lanes = Array.from({ length: AT_ONCE }, lane);
    try {
      await Promise.all(lanes);
    } catch (problem) {
      this.stop.abort(); // of the others, whose failures say nothing new
      await Promise.allSettled(lanes);
      throw problem;
    }
  }

  async #send(number) {
    const { signal } = this.stop;
    if (signal.aborted) throw new Stopped();
    const bytes = this.#part(number);
    const digest = await sha256(bytes);
    if (this.ticket.arrived[number] !== digest) {
      await patiently(async () => {
        const link = await post(this.ticket.parts, this.token, { number, sha256: digest }, signal);
        await put(link, bytes, { signal, onProgress: (loaded) => this.#fly(number, loaded) });
      }, signal, this.onFailure).finally(() => this.flying.delete(number));
    }
    this.done.add(number);
    this.arrived += bytes.size;
    this.onProgress(this);
  }

  #fly(number, loaded) {
    this.sent += Math.max(0, loaded - (this.flying.get(number) ?? 0));
    this.flying.set(number, loaded);
    const now = performance.now();
    this.samples.push({ at: now, sent: this.sent });
    while (this.samples[0].at < now - PACE) this.samples.shift();
    this.onProgress(this);
  }
}
