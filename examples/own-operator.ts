/**
 * An operator of your own between ours, with full types: keep a frame only where the picture has changed. Offline; run with
 * `npx tsx examples/own-operator.ts`.
 */
import { filter, from, type MonoTypeOperatorFunction, map, pipe } from 'rxjs';
import { rampBatch, stride } from 'tikitaka/operators';

interface Picture {
  readonly index: number;
  readonly brightness: number;
  release(): void;
}

/** Ends the journey of pictures that look like the one before, and so releases them. */
function changedOnly(least: number): MonoTypeOperatorFunction<Picture> {
  let last = Number.NEGATIVE_INFINITY;
  return pipe(
    filter((picture) => {
      const changed = Math.abs(picture.brightness - last) >= least;
      if (changed) last = picture.brightness;
      else picture.release();
      return changed;
    }),
  );
}

let released = 0;
const pictures = Array.from(
  { length: 60 },
  (_, index): Picture => ({
    index,
    brightness: Math.round(100 + 40 * Math.sin(index / 6)),
    release: () => {
      released++;
    },
  }),
);
const release = (picture: Picture) => picture.release();

from(pictures)
  .pipe(
    stride(2, { onDiscard: release }),
    changedOnly(8),
    rampBatch({ maxSize: 8, firstSize: 1, maxWaitMs: 50, onDiscard: release }),
    map((batch) => {
      batch.forEach(release);
      return batch.map(({ index }) => index);
    }),
  )
  .subscribe({
    next: (indexes) => console.log(`batch of ${indexes.length}: ${indexes.join(', ')}`),
    complete: () => console.log(`${released} of ${pictures.length} pictures released`),
  });
