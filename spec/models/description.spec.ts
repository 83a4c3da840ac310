import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { parseDescription, provides, readDescription } from '../../models/index.js';

const minimal = {
  version: 1,
  name: 'mine',
  input: { width: 640, height: 640, layout: 'nchw', dtype: 'float32', fit: 'letterbox' },
  output: { layout: 'yolo-detect', classes: { 0: 'player' } },
};

describe('model description', () => {
  it('fills in what is not said', () => {
    const { input, thresholds, maxDetections, output } = parseDescription(minimal, 'mine.json');
    assert.deepEqual(input.normalise, { divisor: 1, mean: [0, 0, 0], std: [1, 1, 1] });
    assert.deepEqual(
      { colours: input.colours, filter: input.filter, dynamic: input.dynamic },
      { colours: 'rgb', filter: 'area', dynamic: false },
    );
    const classes = { ball: 0.25, goalkeeper: 0.25, player: 0.25, referee: 0.25 };
    assert.deepEqual(thresholds, { ...classes, keyPoint: 0.5, nmsIou: null });
    assert.equal(maxDetections, 100);
    assert.equal(output.layout === 'yolo-detect' && output.rows, 'last');
  });

  it('gives roles without a threshold of their own that of persons', () => {
    const { thresholds } = parseDescription({ ...minimal, thresholds: { person: 0.4, referee: 0.6 } }, 'mine.json');
    const { ball, goalkeeper, player, referee } = thresholds;
    assert.deepEqual({ ball, goalkeeper, player, referee }, { ball: 0.25, goalkeeper: 0.4, player: 0.4, referee: 0.6 });
  });

  const faults: [why: string, value: unknown, field: RegExp][] = [
    ['an unknown field', { ...minimal, typo: 1 }, /typo/],
    ['an unknown layout', { ...minimal, output: { layout: 'yolo9' } }, /output/],
    [
      'an unknown class',
      { ...minimal, output: { layout: 'yolo-detect', classes: { 0: 'coach' } } },
      /output\.classes\.0/,
    ],
    [
      'a class that is no number',
      { ...minimal, output: { layout: 'yolo-detect', classes: { player: 'player' } } },
      /classes/,
    ],
    ['a key point that does not exist', { ...minimal, output: { layout: 'yolo-pose', keyPoints: [32] } }, /keyPoints/],
    ['a threshold above 1', { ...minimal, thresholds: { person: 25 } }, /thresholds\.person/],
    [
      'normalisation of bytes',
      { ...minimal, input: { ...minimal.input, dtype: 'uint8', normalise: { divisor: 255 } } },
      /input\.normalise/,
    ],
    ['another version', { ...minimal, version: 2 }, /version/],
    ['no object', 'yolo', /description/],
  ];
  for (const [why, value, field] of faults) {
    it(`refuses ${why}, naming the field: ERR_MODEL_DESCRIPTION`, () =>
      assert.throws(
        () => parseDescription(value, 'mine.json'),
        (error: Error & { code?: string }) =>
          error.code === 'ERR_MODEL_DESCRIPTION' && field.test(error.message) && error.message.startsWith('mine.json'),
      ));
  }

  it('names all faults at once', () =>
    assert.throws(() => parseDescription({ ...minimal, name: '', maxDetections: 0 }, 'x'), /name.*maxDetections/));

  it('refuses what is no JSON', () =>
    assert.throws(() => readDescription(new URL(import.meta.url)), { code: 'ERR_MODEL_DESCRIPTION' }));

  const folder = new URL('../../models/descriptions/', import.meta.url);
  for (const name of readdirSync(folder)) {
    it(`ships ${name}, named like its file`, () =>
      assert.equal(`${readDescription(new URL(name, folder)).name}.json`, name));
  }

  it('says what a model contributes', () => {
    const of = (output: object) => provides(parseDescription({ ...minimal, output }, 'x'));
    assert.deepEqual(of({ layout: 'tikitaka' }), { objects: true, pitch: true });
    assert.deepEqual(of({ layout: 'yolo-detect', classes: {} }), { objects: true, pitch: false });
    assert.deepEqual(of({ layout: 'yolo-pose' }), { objects: false, pitch: true });
    assert.deepEqual(of({ layout: 'yolo-nms-free', keyPoints: [0] }), { objects: false, pitch: true });
    assert.deepEqual(of({ layout: 'yolo-nms-free', classes: { 0: 'ball' } }), { objects: true, pitch: false });
    assert.deepEqual(of({ layout: 'detr', classes: {} }), { objects: true, pitch: false });
  });
});
