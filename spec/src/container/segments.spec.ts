import assert from 'node:assert/strict';
import { Segments } from '../../../src/container/segments.js';

const bytesFrom = (start: number, length: number) => Uint8Array.from({ length }, (_, i) => (start + i) % 251);

describe('Segments', () => {
  it('makes one segment of a thousand small pieces that came one behind the other', () => {
    const segments = new Segments();
    for (let at = 0; at < 3000; at += 3) segments.append(at, bytesFrom(at, 3));
    // A view, not a copy: one segment has all of them.
    assert.equal(segments.peek(0, 3000)?.buffer, segments.peek(2000, 2003)?.buffer);
    assert.deepEqual(segments.peek(0, 3000), bytesFrom(0, 3000));
    assert.equal(segments.heldTo(0), 3000);
  });

  it('begins another where pieces do not follow one another, and keeps large ones as they are', () => {
    const segments = new Segments();
    const large = bytesFrom(0, 1 << 17);
    segments.append(0, large);
    segments.append(1 << 20, bytesFrom(5, 10));
    assert.equal(segments.peek(0, large.length)?.buffer, large.buffer);
    assert.equal(segments.heldTo(0), large.length);
    assert.deepEqual(segments.peek(1 << 20, (1 << 20) + 10), bytesFrom(5, 10));
  });

  it('lets go of what nobody waits for, least recently used first', () => {
    const segments = new Segments();
    for (const start of [0, 100, 200])
      segments.insert({ start, end: start + 100, bytes: new Uint8Array(100), filled: 100 });
    segments.peek(0, 10);
    segments.evict(100, ({ start }) => start === 100);
    assert.deepEqual(
      [0, 100, 200].map((at) => segments.at(at) !== undefined),
      [false, true, false],
    );
  });
});
