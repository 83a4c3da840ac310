import { setTimeout as sleep } from 'node:timers/promises';

/** Bytes that differ at every offset enough to notice a shift, the same in every run. */
export function patternBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let state = 0x2545f491;
  for (let i = 0; i < length; i += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state;
  }
  return bytes;
}

export async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

/** Resolves when `condition` holds, looking every few milliseconds of real time; rejects after 5 s. */
export async function until(condition: () => boolean, what = 'condition'): Promise<void> {
  for (let tries = 0; tries < 1000; tries += 1) {
    if (condition()) return;
    await sleep(5);
  }
  throw new Error(`${what} did not come true within 5 s`);
}
