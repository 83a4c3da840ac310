import { parentPort, workerData } from 'node:worker_threads';
import { createFrameDrawer, type RenderJob, SLOTS } from './render-job.js';

const job: RenderJob = workerData;
const draw = createFrameDrawer(job);
let free = SLOTS;
let wake: (() => void) | undefined;
// Every message says that the encoder has read one more picture.
parentPort?.on('message', () => {
  free++;
  wake?.();
});

for (let frame = job.first, turn = 0; frame < job.frameCount; frame += job.every, turn++) {
  while (free === 0) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
  free--;
  const { pixels, truth } = draw(frame);
  new Uint8ClampedArray(job.pictures, (turn % SLOTS) * pixels.length, pixels.length).set(pixels);
  parentPort?.postMessage(truth);
}
parentPort?.close();
