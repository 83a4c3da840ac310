import assert from 'node:assert/strict';
import { createOverlay } from '../../../src/annotate/overlay.js';
import type { PlanarPicture } from '../../../src/decode/index.js';

function picture(
  width: number,
  height: number,
  padding: number,
  [y, u, v]: readonly [number, number, number],
): PlanarPicture {
  const [stride, half] = [width + padding, width / 2 + padding];
  const chroma = (value: number) => new Uint8Array(half * (height / 2)).fill(value);
  return {
    width,
    height,
    planes: [new Uint8Array(stride * height).fill(y), chroma(u), chroma(v)],
    strides: [stride, half, half],
  };
}

describe('Overlay', () => {
  it('copies what it leaves free, whatever the strides, and changes only what is drawn', () => {
    const source = picture(16, 8, 5, [90, 100, 140]);
    const target = picture(16, 8, 2, [0, 0, 0]);
    const overlay = createOverlay(16, 8);
    overlay.draw((ctx) => {
      ctx.fillStyle = '#ffffff';
      ctx.fillRect(4, 2, 4, 2);
    });
    overlay.lay(source, target);
    const [y, u] = target.planes;
    assert.equal(y[2 * 18 + 3], 90);
    assert.ok(Math.abs((y[2 * 18 + 4] ?? 0) - 235) <= 1, 'white is 235 in limited range');
    assert.ok(Math.abs((u[1 * 10 + 2] ?? 0) - 128) <= 1 && u[0] === 100);
    assert.ok(
      source.planes[0].every((value) => value === 90),
      'the source is only read',
    );
  });

  it('mixes by opacity', () => {
    const target = picture(4, 4, 0, [0, 0, 0]);
    const overlay = createOverlay(4, 4);
    overlay.draw((ctx) => {
      ctx.fillStyle = 'rgba(255,0,0,0.5)';
      ctx.fillRect(0, 0, 4, 4);
    });
    overlay.lay(picture(4, 4, 0, [16, 128, 128]), target);
    const [y, , v] = target.planes;
    assert.ok(Math.abs((y[0] ?? 0) - (16 + 82) / 2) <= 2, `${y[0]}`);
    assert.ok(Math.abs((v[0] ?? 0) - (128 + 240) / 2) <= 2, `${v[0]}`);
  });

  it('forgets the drawing before', () => {
    const [source, target] = [picture(4, 4, 0, [50, 128, 128]), picture(4, 4, 0, [0, 0, 0])];
    const overlay = createOverlay(4, 4);
    overlay.draw((ctx) => ctx.fillRect(0, 0, 4, 4));
    overlay.draw(() => undefined);
    overlay.lay(source, target);
    assert.ok(target.planes[0].every((value) => value === 50));
  });
});
