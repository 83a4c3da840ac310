import { parentPort, workerData } from 'node:worker_threads';
import { Camera } from './camera.js';
import { recordMatch } from './match-track.js';
import { type RenderedFrame, type RenderJob, SLOTS } from './render-job.js';
import { createRenderer } from './renderer.js';
import { stage, truthOf } from './truth.js';

const job: RenderJob = workerData;
const { seed, frameCount, fps, first, every, width, height } = job;
const match = recordMatch({ seed, seconds: frameCount / fps });
const renderer = createRenderer({ seed, match, width, height });
let free = SLOTS;
let wake: (() => void) | undefined;
parentPort?.on('message', () => {
  free++;
  wake?.();
});

for (let frame = first, turn = 0; frame < frameCount; frame += every, turn++) {
  while (free === 0) await new Promise<void>((resolve) => (wake = resolve));
  free--;
  const moment = match.momentAt(frame / fps);
  const pixels = renderer.render(frame / fps);
  new Uint8ClampedArray(job.pictures, (turn % SLOTS) * pixels.length, pixels.length).set(pixels);
  const camera = new Camera(moment.camera, job.clipWidth, job.clipHeight);
  const rendered: RenderedFrame = { truth: truthOf(frame, stage(match.people, moment, camera), camera) };
  parentPort?.postMessage(rendered);
}
parentPort?.close();
