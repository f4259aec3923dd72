// @ts-check
/**
 * Moves the bytes of a merge without merging: reads every chosen file whole and writes as much as
 * the first one holds to the browser's private storage, piece by piece. As in a merge, the last copy
 * goes when the next one is there: the system's memory is not warmer for the one than for the other.
 */

const PIECE_BYTES = 8 << 20;

/** @type {Record<string, (file: File, take: (offset: number, piece: Uint8Array) => void) => Promise<void>>} */
const ways = {
  /** As the product reads. */
  async slices(file, take) {
    const reader = new FileReaderSync();
    for (let offset = 0; offset < file.size; offset += PIECE_BYTES) {
      const slice = file.slice(offset, offset + PIECE_BYTES);
      take(offset, new Uint8Array(reader.readAsArrayBuffer(slice)));
    }
  },

  async stream(file, take) {
    const reader = file.stream().getReader({ mode: "byob" });
    let buffer = new ArrayBuffer(PIECE_BYTES);
    for (let offset = 0; ; ) {
      const { done, value } = await reader.read(new Uint8Array(buffer));
      if (done || !value) return;
      take(offset, value);
      offset += value.length;
      buffer = value.buffer;
    }
  },
};

self.addEventListener("message", async ({ data: { files, way } }) => {
  const root = await navigator.storage.getDirectory();
  const name = `copy-${crypto.randomUUID()}`;
  const output = await root.getFileHandle(name, { create: true });
  const handle = await output.createSyncAccessHandle();
  const start = performance.now();
  handle.truncate(files[0].size);
  for (const [index, file] of files.entries()) {
    await ways[way](file, (offset, piece) => {
      if (index === 0) handle.write(piece, { at: offset });
    });
  }
  handle.flush();
  const seconds = (performance.now() - start) / 1e3;
  handle.close();
  for await (const other of root.keys())
    if (other.startsWith("copy-") && other !== name) await root.removeEntry(other);
  postMessage({ seconds });
});
