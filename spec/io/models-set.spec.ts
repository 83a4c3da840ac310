import assert from 'node:assert/strict';
import { lastValueFrom } from 'rxjs';
import { type ModelFile, type ModelSet, type ModelSetOptions, openModelSet } from '../../models/index.js';
import { mergeFindings } from '../../models/runtime/model-set.js';
import { describeModel, flat, isAlive, modelFolder, side, slowDescription, slowFile } from '../support/models.js';
import { constantModel } from '../support/onnx-builder.js';

describe('model set', () => {
  const folder = modelFolder();
  const input = { width: side, height: side, layout: 'nhwc', dtype: 'uint8' } as const;
  const detect = (name: string, rows: number[][], classes: object): ModelFile => ({
    file: folder.write(
      `${name}.onnx`,
      constantModel(input, [{ name: 'output0', dims: [rows.length, rows[0]?.length ?? 0], values: rows.flat() }]),
    ),
    description: describeModel({ ...input, fit: 'stretch' }, { layout: 'yolo-detect', rows: 'first', classes }),
  });
  const player = detect(
    'player',
    [
      [8, 8, 4, 8, 0, 0.8],
      [3, 3, 2, 2, 0.3, 0],
    ],
    { 0: 'ball', 1: 'player' },
  );
  const ball = detect('ball', [[3.1, 3, 2, 2, 0.9]], { 0: 'ball' });
  const pitch: ModelFile = {
    file: folder.write(
      'pitch.onnx',
      constantModel(input, [{ name: 'output0', dims: [8, 1], values: [8, 8, 8, 8, 0.9, 4, 5, 0.7] }]),
    ),
    description: describeModel({ ...input, fit: 'stretch' }, { layout: 'yolo-pose' }),
  };

  let set: ModelSet | undefined;
  afterEach(async () => {
    const pids = set?.pids() ?? [];
    await set?.close();
    assert.deepEqual(pids.filter(isAlive), []);
    set = undefined;
  });
  const open = async (models: readonly ModelFile[], more: Partial<ModelSetOptions> = {}) => {
    set = await openModelSet({ models, device: 'cpu', batchSize: 2, spare: false, ...more });
    return set;
  };

  it('runs player, pitch and ball on the same pictures and gives one finding for each', async () => {
    const opened = await open([player, pitch, ball], { threads: 4 });
    assert.deepEqual(
      opened.reports.map(({ model, threads }) => [model, threads]),
      [
        ['spec', 2],
        ['spec', 1],
        ['spec', 1],
      ],
    );
    assert.deepEqual([opened.maxBatch, opened.device, opened.pids().length], [2, 'cpu', 3]);
    assert.ok(opened.predictMs(2) > 0);
    let returns = 0;
    const findings = await lastValueFrom(opened.run([flat(1), flat(2)], () => returns++));
    assert.equal(returns, 1);
    assert.equal(findings.length, 2);
    for (const { detections, keyPoints } of findings) {
      assert.deepEqual(
        detections.map(({ classId, score }) => [classId, Math.round(score * 100) / 100]),
        [
          [0, 0.9],
          [2, 0.8],
        ],
      );
      assert.deepEqual([keyPoints.length, keyPoints[0]?.xPx, keyPoints[0]?.yPx], [32, 4, 5]);
    }
    await opened.reload();
    assert.equal((await lastValueFrom(opened.run([flat(1)], () => undefined))).length, 1);
  });

  it('has the thresholds of the descriptions, whatever weak boxes come out: a class that two give is the specialist’s', async () => {
    const own = (model: ModelFile, thresholds: Partial<ModelFile['description']['thresholds']>): ModelFile => ({
      ...model,
      description: { ...model.description, thresholds: { ...model.description.thresholds, ...thresholds } },
    });
    const models = [own(ball, { ball: 0.5 }), own(player, { ball: 0.6, player: 0.9 })];
    const opened = await open(models, { weakest: 0.1 });
    assert.deepEqual([opened.thresholds.ball, opened.thresholds.player], [0.5, 0.9]);
    const [finding] = await lastValueFrom(opened.run([flat(1)], () => undefined));
    assert.equal(finding?.detections.length, 2);
  });

  it('leaves the pitch out: its model is not opened', async () => {
    const opened = await open([player, pitch], { skipPitch: true });
    assert.equal(opened.pids().length, 1);
    const [finding] = await lastValueFrom(opened.run([flat(1)], () => undefined));
    assert.deepEqual(finding?.keyPoints, []);
    assert.equal(finding?.detections.length, 2);
  });

  it('returns pictures once, when the last model is done with them, also where one dies or nobody waits', async () => {
    const slow = { file: folder.write('slow.onnx', slowFile()), description: slowDescription };
    const opened = await open([slow, ball]);
    const [slowPid = 0] = opened.pids();
    const events: string[] = [];
    const abandoned = new Promise<void>((resolve) => {
      const returned = () => {
        events.push('abandoned returned');
        resolve();
      };
      opened
        .run([flat(0)], returned)
        .subscribe()
        .unsubscribe();
    });
    await abandoned;
    const run = lastValueFrom(opened.run([flat(255)], () => events.push('returned')));
    const other = lastValueFrom(opened.run([flat(0)], () => events.push('other returned')));
    await new Promise<void>((resolve) => {
      const returned = () => {
        events.push('never started returned');
        resolve();
      };
      opened
        .run([flat(0)], returned)
        .subscribe()
        .unsubscribe();
    });
    process.kill(slowPid, 'SIGKILL');
    await assert.rejects(run, { code: 'ERR_INFERENCE', retryable: true });
    assert.equal((await other).length, 1);
    assert.deepEqual(events, ['abandoned returned', 'never started returned', 'returned', 'other returned']);
  });

  it('refuses models that take different pictures, and sets without a model', async () => {
    const other = {
      ...ball,
      description: describeModel({ ...input, width: 32, fit: 'stretch' }, { layout: 'yolo-detect', classes: {} }),
    };
    await assert.rejects(open([player, other]), { code: 'ERR_MODEL_SHAPE' });
    await assert.rejects(open([pitch], { skipPitch: true }), { code: 'ERR_OPTION' });
    await assert.rejects(open([player, { ...ball, file: '/nowhere.onnx' }]), { code: 'ERR_MODEL_LOAD' });
  });
});

describe('mergeFindings', () => {
  const at = (classId: 0 | 1 | 2 | 3, score: number, x: number) => ({
    classId,
    score,
    boxXyxyPx: [x, 0, x + 10, 10] as const,
  });
  const points = Array.from({ length: 32 }, () => ({ xPx: 1, yPx: 1, score: 1 }));

  it('passes the only list through as it is', () => {
    const detections = [at(2, 0.9, 0), at(2, 0.8, 1)];
    assert.deepEqual(
      mergeFindings(
        [
          { detections, keyPoints: [] },
          { detections: [], keyPoints: points },
        ],
        1,
      ),
      { detections, keyPoints: points },
    );
  });

  it('keeps the best of the same object, persons and ball apart, best first, up to the limit', () => {
    const parts = [
      { detections: [at(2, 0.5, 0), at(0, 0.4, 50)], keyPoints: [] },
      { detections: [at(1, 0.7, 1), at(0, 0.3, 0), at(0, 0.6, 90)], keyPoints: [] },
    ];
    assert.deepEqual(
      mergeFindings(parts, 3).detections.map(({ classId, score }) => [classId, score]),
      [
        [1, 0.7],
        [0, 0.6],
        [0, 0.4],
      ],
    );
  });
});
