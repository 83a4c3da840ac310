/**
 * `npx tsx bench/snapshot.ts`: what is left to do after the hard cut for 750 frames × 22 persons (target ≤ 20 ms median): the last
 * snapshot and its encoding (its compression is none of the event loop's). Findings come coarse to fine in batches of 8; between batches the scene and the
 * encoder work in slices, as in the pipeline. `idle`: they had time to finish. `late batch`: 8 findings came right before the cut.
 */

import { coarseToFine, playFootball } from '../spec/src/questions/football/football.js';
import { createAnswerEncoder, createScene, type Finding } from '../src/questions/football/index.js';
import { quantile, race, report } from './harness.js';

const FRAMES = 750;
const BATCH = 8;
const SLICE_MS = 6;
const fields = { challenge_id: 'bench', processing_time: 1.234 };
const match = playFootball({ frameCount: FRAMES, noisePx: 1.5, missed: 0.05 });
const order = coarseToFine(FRAMES);
const slices: number[] = [];

/** A scene that has understood the first `samples` findings, with its encoder up to date. */
function prepared(samples: number) {
  const scene = createScene({ frameCount: FRAMES, width: match.width, height: match.height, fps: 25 });
  const encoder = createAnswerEncoder();
  for (let from = 0; from < samples; from += BATCH) {
    scene.add(pick(from, Math.min(samples, from + BATCH)));
    for (let done = false; !done; ) {
      const startMs = performance.now();
      const isPaused = () => performance.now() - startMs >= SLICE_MS;
      done = scene.refresh(isPaused) && encoder.update(scene.snapshot(), isPaused);
      slices.push(performance.now() - startMs);
    }
  }
  return { scene, encoder };
}

function pick(from: number, to: number): Finding[] {
  return order.slice(from, to).map((n) => match.findings[n]);
}

for (const samples of [48, 96, 376]) {
  let last = { idle: 0, late: 0, snapshot: 0, bytes: 0 };
  const figures = await race({
    rounds: 7,
    contenders: [
      {
        name: `${samples} samples, idle`,
        run: () => {
          const { scene, encoder } = prepared(samples);
          const startMs = performance.now();
          encoder.update(scene.snapshot());
          last = { ...last, bytes: encoder.json(fields).length };
          return performance.now() - startMs;
        },
      },
      {
        name: `${samples} samples, late batch`,
        run: () => {
          const { scene, encoder } = prepared(samples - BATCH);
          scene.add(pick(samples - BATCH, samples));
          const startMs = performance.now();
          const answer = scene.snapshot();
          last = { ...last, snapshot: performance.now() - startMs };
          encoder.update(answer);
          encoder.json(fields);
          return performance.now() - startMs;
        },
      },
    ],
  });
  const [idle, late] = figures;
  report({
    bench: `snapshot/${samples}`,
    figures,
    facts: {
      idleMs: idle.medianMs,
      lateMs: late.medianMs,
      lateSnapshotMs: Math.round(last.snapshot),
      jsonBytes: last.bytes,
      ok: idle.medianMs <= 20,
    },
  });
}
console.log(
  `slices of at most ${SLICE_MS} ms: median ${quantile(slices, 0.5)}, p99 ${quantile(slices, 0.99)}, most ${quantile(slices, 1)} ms`,
);
