import assert from 'node:assert/strict';
import { lastValueFrom, VirtualTimeScheduler } from 'rxjs';
import {
  type ClassName,
  type ModelFile,
  type ModelPicture,
  type ModelSet,
  type ModelSetOptions,
  openModelRunner,
  openModelSet,
} from '../../models/index.js';
import { toSource } from '../../models/picture-space.js';
import { mergeFindings } from '../../models/runtime/model-set.js';
import { describeModel, flat, isAlive, modelFolder, side, slowDescription, slowFile } from '../support/models.js';
import { brightnessModel, constantModel } from '../support/onnx-builder.js';

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
    // Time stands still: however busy the machine is, nothing is taken for hung.
    const scheduler = new VirtualTimeScheduler();
    set = await openModelSet({ models, device: 'cpu', batchSize: 2, spare: false, scheduler, ...more });
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

  it('refuses sets without a model, and files that are not there', async () => {
    await assert.rejects(open([pitch], { skipPitch: true }), { code: 'ERR_OPTION' });
    await assert.rejects(open([player, { ...ball, file: '/nowhere.onnx' }]), { code: 'ERR_MODEL_LOAD' });
  });
});

describe('models of one set with inputs of different sizes', () => {
  const folder = modelFolder();
  /** One box in the middle of its input, of half its size; what it scores is the brightness that it sees. */
  const model = (name: ClassName, width: number, height: number, more: object = {}): ModelFile => {
    const input = { width, height, layout: 'nhwc', dtype: 'uint8' } as const;
    const box = [width / 2, height / 2, width / 2, height / 2] as const;
    return {
      file: folder.write(`${name}-${width}x${height}.onnx`, brightnessModel(input, box)),
      description: describeModel(
        { ...input, fit: 'letterbox', ...more },
        { layout: 'yolo-detect', rows: 'first', classes: { 0: name } },
        { person: 0, ball: 0 },
      ),
    };
  };
  const [stretch, letterbox] = [{ fit: 'stretch' }, { fit: 'letterbox' }] as const;
  const white = (width: number, height: number, sourceWidth: number, sourceHeight: number): ModelPicture => ({
    pixels: new Uint8Array(width * height * 3).fill(255),
    sourceWidth,
    sourceHeight,
  });

  /** A wide and a narrow picture, 2:1 and 1:1, without bars; what each model should see of them is given as scores. */
  const bars = 114 / 255;
  const table: {
    why: string;
    models: readonly ModelFile[];
    input: object;
    scores: readonly (readonly [wide: number, narrow: number])[];
  }[] = [
    {
      why: 'stretched alike: as large as the largest',
      models: [model('player', 32, 16, stretch), model('ball', 24, 24, stretch)],
      input: { width: 32, height: 24, fit: 'stretch' },
      scores: [
        [1, 1],
        [1, 1],
      ],
    },
    {
      why: 'stretched and letterboxed: each sees its own',
      models: [model('player', 32, 32, stretch), model('ball', 24, 24, letterbox)],
      input: { width: 32, height: 32, fit: 'stretch' },
      scores: [
        [1, 1],
        [(1 + bars) / 2, 1],
      ],
    },
    {
      why: 'letterboxed in other shapes: each gets bars of its own',
      models: [model('player', 32, 16, letterbox), model('ball', 24, 24, letterbox)],
      input: { width: 32, height: 24, fit: 'stretch' },
      scores: [
        [1, (1 + bars) / 2],
        [(1 + bars) / 2, 1],
      ],
    },
  ];
  for (const { why, models, input, scores } of table) {
    it(why, async () => {
      const set = await openModelSet({ models, device: 'cpu', batchSize: 3, spare: false });
      try {
        const { width, height, fit } = set.input;
        assert.deepEqual({ width, height, fit }, input);
        const wide = white(width, height, 200, 100);
        const narrow = white(width, height, 100, 100);
        const findings = await lastValueFrom(set.run([wide, narrow, wide], () => undefined));
        for (const [n, { detections }] of findings.entries()) {
          const found = [2, 0].map((id) => detections.find(({ classId }) => classId === id));
          assert.deepEqual(
            found.map((detection) => detection?.score.toFixed(2)),
            scores.map((score) => score[n % 2]?.toFixed(2)),
            `picture ${n}`,
          );
          // Half the input in its middle, with the bars that belong to it.
          for (const [i, { description }] of models.entries()) {
            const source = n % 2 === 0 ? wide : narrow;
            const own = toSource(description.input, source);
            const at = (share: number) => [
              own.x(share * description.input.width),
              own.y(share * description.input.height),
            ];
            const expected = [...at(0.25), ...at(0.75)].map((v, k) =>
              Math.min(k % 2 === 0 ? source.sourceWidth : source.sourceHeight, Math.max(0, v)),
            );
            assert.deepEqual(found[i]?.boxXyxyPx.map(Math.round), expected.map(Math.round));
          }
        }
      } finally {
        await set.close();
      }
    });
  }

  it('letterboxed in one shape: as the largest, whose bars the others keep', async () => {
    const models = [model('player', 32, 32, letterbox), model('ball', 28, 28, letterbox)];
    const set = await openModelSet({ models, device: 'cpu', batchSize: 1, spare: false });
    try {
      const { width, height, fit } = set.input;
      assert.deepEqual({ width, height, fit }, { width: 32, height: 32, fit: 'letterbox' });
      const [finding] = await lastValueFrom(set.run([white(32, 32, 200, 100)], () => undefined));
      assert.deepEqual(
        finding?.detections.map(({ score, boxXyxyPx }) => [score, boxXyxyPx.map(Math.round)]),
        [
          [1, [50, 0, 150, 100]],
          [1, [50, 0, 150, 100]],
        ],
      );
    } finally {
      await set.close();
    }
  });

  it('cannot be made from pictures that hide something: ERR_OPTION', async () => {
    const { file, description } = model('player', 32, 16, stretch);
    const picture = { width: 32, height: 32, fit: 'letterbox', filter: 'area' } as const;
    await assert.rejects(openModelRunner({ file, description, picture }), { code: 'ERR_OPTION' });
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
