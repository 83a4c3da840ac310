import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseModel, chooseRoleModel, shippedModels } from '../../models/index.js';

describe('model catalogue', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tikitaka-catalogue-'));
  after(() => rmSync(folder, { recursive: true }));
  const put = (name: string, content: unknown = '') => {
    const file = join(folder, name);
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
    return file;
  };
  const description = (width: number, more: object = {}) => ({
    version: 1,
    name: 'mine',
    input: { width, height: width / 2, layout: 'nchw', dtype: 'float32', fit: 'letterbox', ...more },
    output: { layout: 'yolo-detect', classes: { 0: 'player' } },
  });
  const widthOf = (choice: Parameters<typeof chooseModel>[0]) => chooseModel(choice).description.input.width;

  it('lists what ships, with its weights, largest first', () => {
    const shipped = shippedModels();
    assert.ok(shipped.some(({ description: { name } }) => name === 'tikitaka-768x448'));
    const widths = shipped.map(({ description: { input } }) => input.width);
    assert.deepEqual(
      widths,
      [...widths].sort((a, b) => b - a),
    );
  });

  it('takes the largest size of a family, an exact one, or the nearest where that is asked for', () => {
    assert.equal(widthOf({ model: 'fast' }), 768);
    assert.equal(widthOf({ model: 'fast', imageSize: { width: 768, nearest: false } }), 768);
    assert.equal(widthOf({ model: 'fast', imageSize: { width: 1024, nearest: true } }), 768);
  });

  it('refuses a size that the model does not have, with the list: ERR_OPTION', () =>
    assert.throws(
      () => chooseModel({ model: 'fast', imageSize: { width: 700, nearest: false } }),
      (error: Error & { code?: string }) => error.code === 'ERR_OPTION' && error.message.includes('768×448'),
    ));

  it('refuses a model that there is not, with the list: ERR_OPTION', () =>
    assert.throws(
      () => chooseModel({ model: 'huge' }),
      (error: Error & { code?: string }) => error.code === 'ERR_OPTION' && /fast/.test(error.message),
    ));

  it('finds a user file by its description, and the description by the file', () => {
    const json = put('mine.json', description(640));
    const onnx = put('mine.onnx');
    assert.deepEqual(chooseModel({ model: json }).file, onnx);
    assert.deepEqual(chooseModel({ model: onnx }).file, onnx);
    put('named.json', { ...description(640), file: 'mine.onnx' });
    assert.equal(chooseModel({ model: join(folder, 'named.json') }).file, onnx);
  });

  it('refuses a file without a description and a description without a file', () => {
    assert.throws(() => chooseModel({ model: put('bare.onnx') }), { code: 'ERR_MODEL_DESCRIPTION' });
    assert.throws(() => chooseModel({ model: put('lost.json', description(640)) }), { code: 'ERR_MODEL_LOAD' });
    assert.throws(() => chooseModel({ model: join(folder, 'none.onnx') }), { code: 'ERR_MODEL_DESCRIPTION' });
  });

  it('takes a file of a role for the usual export where it has no description', () => {
    const onnx = put('ball.onnx');
    assert.equal(chooseRoleModel('ball', { model: onnx }).description.name, 'yolov8-ball');
    assert.equal(chooseRoleModel('pitch', { model: onnx }).description.output.layout, 'yolo-pose');
    assert.equal(chooseRoleModel('player', { model: put('mine.onnx') }).description.name, 'mine');
    assert.throws(() => chooseRoleModel('ball', { model: '/nowhere.onnx' }), { code: 'ERR_MODEL_LOAD' });
  });

  it('gives a dynamic model any width in steps of 32, the height in proportion', () => {
    put('dynamic.json', description(640, { dynamic: true }));
    const model = put('dynamic.onnx');
    const sizeOf = (width: number, nearest: boolean) => {
      const { input } = chooseModel({ model, imageSize: { width, nearest } }).description;
      return [input.width, input.height];
    };
    assert.deepEqual(sizeOf(416, false), [416, 224]);
    assert.deepEqual(sizeOf(400, true), [416, 224]);
    assert.throws(() => sizeOf(400, false), { code: 'ERR_OPTION' });
  });

  it("puts the thresholds of the configuration in place of the description's", () => {
    const { description: chosen } = chooseModel({ model: 'fast', confThreshold: 0.6, maxDetections: 7 });
    const { description: own } = chooseModel({ model: 'fast' });
    const all = { ball: 0.6, goalkeeper: 0.6, player: 0.6, referee: 0.6 };
    assert.deepEqual(chosen.thresholds, { ...own.thresholds, ...all });
    assert.equal(chosen.maxDetections, 7);
  });
});
