// A first look that saves a vain upload; the server looks again and only its word counts.

const MOST_READ = 512 * 1024;
const MOST_TEXT = 1024 * 1024;
const PIECE = 8 * 1024;

// What people choose by mistake, by its first bytes.
const OTHERS = [
  ["PK\x03\x04", "The file is a zip archive; upload the VCF inside it."],
  ["BZh", "The file is compressed with bzip2; use gzip or bgzip."],
  ["\xfd7zXZ", "The file is compressed with xz; use gzip or bgzip."],
  ["BAM\x01", "The file is a BAM alignment, not a VCF."],
  ["CRAM", "The file is a CRAM alignment, not a VCF."],
  ["@HD\t", "The file is a SAM alignment, not a VCF."],
  ["\xff\xfe", "The file is written in UTF-16; save it as plain text (UTF-8)."],
  ["\xfe\xff", "The file is written in UTF-16; save it as plain text (UTF-8)."],
  ["\xef\xbb\xbf", "The file starts with a byte-order mark; save it without one."],
  ["#CHROM", "The first line is not ##fileformat=VCFv4.x."],
];

// Returns what is wrong, or the format and the assembly that the lengths of the contigs tell.
export async function firstLook(file, assemblies) {
  if (file.size === 0) return { problem: "The file is empty." };
  const start = new Uint8Array(await file.slice(0, MOST_READ).arrayBuffer());
  const packed = start[0] === 0x1f && start[1] === 0x8b;
  const text = latin1(packed ? await inflated(start) : start).slice(0, MOST_TEXT);
  if (packed && !text) return { format: "compressed" };
  const whole = !packed && start.length === file.size;
  return { problem: problemOf(text, whole), format: formatOf(text, packed), assembly: assemblyOf(text, assemblies) };
}

function latin1(bytes) {
  return new TextDecoder("latin1").decode(bytes);
}

function problemOf(text, whole) {
  if (text.startsWith("BCF\x02")) return "";
  if (!text.startsWith("##fileformat=VCFv4.")) {
    const known = OTHERS.find(([magic]) => text.startsWith(magic));
    return known ? known[1] : "This does not look like a VCF: its first line is not ##fileformat=VCFv4.";
  }
  if (/^#CHROM +POS/m.test(text)) {
    return "The columns are separated by spaces; they must be tabs, which copying often loses.";
  }
  return whole && !/^#CHROM\t/m.test(text) ? "The file has no #CHROM line." : "";
}

function formatOf(text, packed) {
  if (text.startsWith("BCF")) return "BCF";
  return packed ? "VCF, compressed" : "VCF";
}

function assemblyOf(text, assemblies) {
  const header = text.split(/^#CHROM/m, 1)[0];
  for (const [, length] of header.matchAll(/^##contig=<[^\n]*?[<,]length=(\d+)(?=[,>])/gm)) {
    if (Object.hasOwn(assemblies, length)) return assemblies[length];
  }
  return "";
}

// BGZF is a row of small gzip members, each with its length (SAM specification 4.1).
async function inflated(bytes) {
  const blocks = [];
  let size = 0;
  let at = 0;
  for (let length; size < MOST_TEXT && (length = blockLength(bytes, at)); at += length) {
    const block = await member(bytes.subarray(at, at + length));
    blocks.push(block);
    size += block.length;
  }
  return at ? joined(blocks) : member(bytes);
}

function blockLength(bytes, at) {
  const head = bytes.subarray(at, at + 18);
  if (head.length < 18 || head[0] !== 0x1f || !(head[3] & 4) || head[12] !== 0x42 || head[13] !== 0x43) return 0;
  const length = head[16] + 256 * head[17] + 1;
  return at + length <= bytes.length ? length : 0;
}

// Small pieces, because an end in the middle of what was packed costs what was not read yet.
async function member(bytes) {
  const pieces = new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += PIECE) controller.enqueue(bytes.subarray(at, at + PIECE));
      controller.close();
    },
  });
  const reader = pieces.pipeThrough(new DecompressionStream("gzip")).getReader();
  const read = [];
  try {
    for (let size = 0; size < MOST_TEXT; size += read.at(-1).length) {
      const { done, value } = await reader.read();
      if (done) break;
      read.push(value);
    }
  } catch {
    // what could be read is enough for a first look
  }
  reader.cancel().catch(() => {});
  return joined(read);
}

function joined(blocks) {
  const all = new Uint8Array(blocks.reduce((size, block) => size + block.length, 0));
  let at = 0;
  for (const block of blocks) {
    all.set(block, at);
    at += block.length;
  }
  return all;
}
