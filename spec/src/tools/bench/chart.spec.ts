import assert from 'node:assert/strict';
import fc from 'fast-check';
import { toPng } from '../../../../src/cli/chart-png.js';
import { benchChart } from '../../../../src/tools/bench/chart.js';
import { overlaps, placeLabels } from '../../../../src/tools/bench/labels.js';
import { evenScale, timeScale } from '../../../../src/tools/bench/scale.js';
import { type Shape, textWidthPx, toSvg } from '../../../../src/tools/bench/shapes.js';
import { cellOf, reference } from './cells.js';

describe('evenScale', () => {
  for (const [why, values, ticks] of [
    ['shares', [0.31, 0.78], [0.3, 0.4, 0.5, 0.6, 0.7, 0.8]],
    ['one value', [0.5], [0.5, 0.6]],
    ['frames', [0, 47], [0, 10, 20, 30, 40, 50]],
    ['ends at its bounds', [0.02, 0.99], [0, 0.2, 0.4, 0.6, 0.8, 1]],
    ['no value', [], [0, 0.2, 0.4, 0.6, 0.8, 1]],
  ] as const) {
    it(why, () => assert.deepEqual(evenScale({ values, fromPx: 0, toPx: 100, least: 0, most: 50 }).ticks, ticks));
  }

  it('runs upwards too', () => {
    const { at } = evenScale({ values: [0, 10], fromPx: 500, toPx: 100 });
    assert.deepEqual([at(0), at(5), at(10)], [500, 300, 100]);
  });
});

describe('timeScale', () => {
  for (const [why, values, ticks] of [
    ['near each other: even from 0', [1, 4], [0, 1, 2, 3, 4]],
    ['far apart: powers of 2', [0.45, 4], [0.25, 0.5, 1, 2, 4]],
  ] as const) {
    it(why, () => assert.deepEqual(timeScale({ values, fromPx: 0, toPx: 100 }).ticks, ticks));
  }

  it('holds every value (fast-check)', () => {
    const times = fc.array(fc.double({ min: 0.01, max: 1000, noNaN: true }), { minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(times, (values) => {
        const { at, ticks } = timeScale({ values, fromPx: 0, toPx: 100, least: 0 });
        assert.ok(ticks.length >= 2 && ticks.length <= 20, ticks.join());
        for (const value of values) assert.ok(at(value) >= -1e-6 && at(value) <= 100 + 1e-6, `${value}: ${at(value)}`);
      }),
    );
  });
});

describe('placeLabels', () => {
  const within = { left: 0, top: 0, right: 600, bottom: 400 };

  it('lets no label cover another, a taken place or the border, and says which are far off (fast-check)', () => {
    const point = fc.record({ x: fc.integer({ min: 0, max: 600 }), y: fc.integer({ min: 0, max: 400 }) });
    fc.assert(
      fc.property(fc.array(point, { maxLength: 15 }), (points) => {
        const labels = points.map((at, i) => ({ ...at, text: `768 px, ${i} s` }));
        const taken = points.map(({ x, y }) => ({ left: x - 5, top: y - 5, right: x + 5, bottom: y + 5 }));
        const placed = placeLabels({ labels, sizePx: 13, within, taken });
        placed.forEach(({ box }, i) => {
          assert.ok(box.left >= 0 && box.top >= 0 && box.right <= 600 && box.bottom <= 400);
          assert.ok(!taken.some((other) => overlaps(box, other)));
          assert.ok(!placed.slice(0, i).some((other) => overlaps(box, other.box)));
        });
      }),
    );
  });

  it('puts a lonely one right of its point, and leaves out what finds no room', () => {
    const [only] = placeLabels({ labels: [{ x: 50, y: 50, text: 'here' }], sizePx: 13, within, taken: [] });
    assert.ok(only && only.box.left > 50 && !only.isFar);
    const narrow = { left: 40, top: 40, right: 60, bottom: 60 };
    assert.deepEqual(
      placeLabels({ labels: [{ x: 50, y: 50, text: 'nowhere' }], sizePx: 13, within: narrow, taken: [] }),
      [],
    );
  });
});

describe('benchChart', () => {
  const cells = [
    cellOf({ score: 0.5 }),
    cellOf({ score: 0.6, timeS: 4, setting: { budgetS: 4 } }),
    cellOf({ score: 0.3, timeS: 1, setting: { budgetS: 1 } }),
    cellOf({ score: 0.2, timeS: 2, setting: { widthPx: 960 } }),
  ];
  const options = { cells, reference, recommended: cells[1]?.setting, title: 'A & B' };
  const { shapes, width, height } = benchChart(options);
  const texts = shapes.filter((shape): shape is Extract<Shape, { kind: 'text' }> => shape.kind === 'text');

  it('names both axes with their units, and the cells that count', () => {
    const said = texts.map(({ text }) => text);
    for (const text of ['time to the answer, s', 'quality as callers score it, 0 to 1', '768 px, 4 s', '768 px, 1 s'])
      assert.ok(said.includes(text), text);
    assert.ok(!said.includes('960 px, 2 s'), 'a beaten cell has no label');
  });

  it('without truth: against the frames that models saw', () => {
    const plain = benchChart({ ...options, cells: [cellOf({})] }).shapes;
    assert.ok(plain.some((shape) => shape.kind === 'text' && shape.text === 'frames that models saw'));
  });

  it('keeps every dot and every text inside the picture', () => {
    for (const shape of shapes) {
      if (shape.kind === 'dot') assert.ok(shape.x > 0 && shape.x < width && shape.y > 0 && shape.y < height);
    }
    for (const { x, text, sizePx, anchor, isUpright } of texts) {
      if (isUpright) continue;
      const left = x - { start: 0, middle: 0.5, end: 1 }[anchor] * textWidthPx(text, sizePx);
      assert.ok(left >= 0 && left + textWidthPx(text, sizePx) <= width, text);
    }
  });

  it('is well-formed SVG with its texts escaped', () => {
    const svg = toSvg(benchChart(options));
    assert.match(svg, /^<svg [^>]*viewBox="0 0 960 600"/);
    assert.ok(svg.includes('>A &amp; B</text>'));
    const open = svg.match(/<(text|svg)\b/g)?.length;
    assert.equal(svg.match(/<\/(text|svg)>/g)?.length, open);
    assert.ok(!/NaN|undefined|Infinity/.test(svg));
  });

  it('is drawn as a PNG of twice the size', async () => {
    const png = await toPng(benchChart(options));
    assert.equal(png.subarray(1, 4).toString(), 'PNG');
    assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [2 * width, 2 * height]);
  });

  it('of one cell, and of none, is a chart too', () => {
    for (const few of [cells.slice(0, 1), []]) {
      const svg = toSvg(benchChart({ ...options, cells: few }));
      assert.ok(!/NaN|undefined|Infinity/.test(svg));
    }
  });
});
