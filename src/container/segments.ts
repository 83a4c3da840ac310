/** Memory of a segment of appended bytes. Chosen: a few of the usual chunks. */
const APPENDED_BYTES = 1 << 16;

/** Bytes `[start, end)` of the file, of which the first `filled` are here; `bytes` may have room for more. */
export interface Segment {
  readonly start: number;
  end: number;
  bytes: Uint8Array;
  filled: number;
  usedAt: number;
}

/** Stretches of a file that are here or on their way, by offset, none overlapping; the least recently used ones go first. */
export class Segments {
  /** Memory held, reads in flight included. */
  cachedBytes = 0;

  readonly #all: Segment[] = [];
  #uses = 0;

  /** The segment that holds or will hold the byte at `offset`. */
  at(offset: number): Segment | undefined {
    const segment = this.#all[this.#indexAfter(offset) - 1];
    return segment && offset < segment.end ? segment : undefined;
  }

  /** Start of the first segment behind `offset`; Infinity where none is. */
  nextStart(offset: number): number {
    return this.#all[this.#indexAfter(offset)]?.start ?? Number.POSITIVE_INFINITY;
  }

  /** The bytes if all of them are here: a view where one segment has them, else a copy. */
  peek(start: number, end: number): Uint8Array | undefined {
    if (start === end) return new Uint8Array(0);
    const segment = this.#use(start);
    if (!segment) return undefined;
    if (end <= segment.start + segment.filled)
      return segment.bytes.subarray(start - segment.start, end - segment.start);
    if (this.heldTo(start) < end) return undefined;
    const joined = new Uint8Array(end - start);
    for (let at = start; at < end; ) {
      const part = this.#use(at);
      if (!part) return undefined;
      const until = Math.min(end, part.end);
      joined.set(part.bytes.subarray(at - part.start, until - part.start), at - start);
      at = until;
    }
    return joined;
  }

  /** End of the bytes that are here without a gap from `offset` on. */
  heldTo(offset: number): number {
    let at = offset;
    for (let segment = this.at(at); segment && at < segment.start + segment.filled; segment = this.at(at))
      at = segment.start + segment.filled;
    return at;
  }

  /** Takes in bytes that came in the order of the file; small pieces share memory, so that a thousand of them are one segment. */
  append(start: number, chunk: Uint8Array): void {
    const last = this.at(start - 1);
    const filled = last?.filled ?? 0;
    if (last && last.end === start && last.start + filled === start && last.bytes.length - filled >= chunk.length) {
      last.bytes.set(chunk, filled);
      last.filled += chunk.length;
      last.end += chunk.length;
      return;
    }
    const bytes = chunk.length < APPENDED_BYTES ? new Uint8Array(APPENDED_BYTES) : chunk;
    if (bytes !== chunk) bytes.set(chunk);
    this.insert({ start, end: start + chunk.length, bytes, filled: chunk.length });
  }

  insert(segment: Omit<Segment, 'usedAt'>): Segment {
    const inserted = { ...segment, usedAt: ++this.#uses };
    this.#all.splice(this.#indexAfter(segment.start), 0, inserted);
    this.cachedBytes += segment.bytes.length;
    return inserted;
  }

  /** Keeps of a segment what has come. */
  shorten(segment: Segment): void {
    const place = this.#all.indexOf(segment);
    if (place < 0) return;
    this.cachedBytes -= segment.bytes.length;
    segment.bytes = segment.bytes.slice(0, segment.filled);
    segment.end = segment.start + segment.filled;
    this.cachedBytes += segment.filled;
    if (segment.filled === 0) this.#all.splice(place, 1);
  }

  /** Lets go of complete segments that nobody waits for, least recently used first, until no more than `limitBytes` are held. */
  evict(limitBytes: number, isAwaited: (segment: Segment) => boolean): void {
    while (this.cachedBytes > limitBytes) {
      let oldest: Segment | undefined;
      for (const segment of this.#all) {
        if (segment.start + segment.filled < segment.end || isAwaited(segment)) continue;
        if (!oldest || segment.usedAt < oldest.usedAt) oldest = segment;
      }
      if (!oldest) return;
      this.#all.splice(this.#all.indexOf(oldest), 1);
      this.cachedBytes -= oldest.bytes.length;
    }
  }

  clear(): void {
    this.#all.length = 0;
    this.cachedBytes = 0;
  }

  #use(offset: number): Segment | undefined {
    const segment = this.at(offset);
    if (segment) segment.usedAt = ++this.#uses;
    return segment;
  }

  /** Index of the first segment that starts behind `offset`. */
  #indexAfter(offset: number): number {
    let low = 0;
    let high = this.#all.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#all[middle]?.start ?? 0) <= offset) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
