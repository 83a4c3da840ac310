/** `npx tsx bench/operators.ts [name …]`: each operator against its nearest rxjs one on a million items; target ratio ≥ 0.8. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  bufferTime,
  concat,
  concatMap,
  defer,
  filter,
  from,
  lastValueFrom,
  mergeMap,
  NEVER,
  type Observable,
  of,
  range,
  takeUntil,
} from 'rxjs';
import ts from 'typescript';
import type * as Operators from '../operators/index.js';
import { machine, race, report, revision } from './harness.js';

const { boundedMap, deadlineBatch, hardCut, pull, rampBatch, softCut, stride } = await shipped();

const items = 1_000_000;
const asyncItems = 100_000;
const source$ = range(0, items);

async function* numbers() {
  for (let i = 0; i < asyncItems; i++) yield i;
}
const credits$ = of(Number.POSITIVE_INFINITY);
const counter = () => {
  let made = 0;
  return { next: () => (made < items ? of(made++) : of<number>()), close: () => {} };
};

/** Operator → [ours, the nearest of rxjs]. */
const races: Record<string, readonly [Observable<unknown>, string, Observable<unknown>]> = {
  stride: [source$.pipe(stride(5)), 'filter', source$.pipe(filter((_, i) => i % 5 === 0))],
  rampBatch: [
    source$.pipe(rampBatch({ maxSize: 32, maxWaitMs: 20 })),
    'bufferTime(20, null, 32)',
    source$.pipe(bufferTime(20, null, 32)),
  ],
  deadlineBatch: [
    source$.pipe(
      deadlineBatch({
        maxSize: 32,
        maxWaitMs: 20,
        deadlineMs: () => Number.MAX_VALUE,
        predictMs: (size) => 10 + 12 * size,
      }),
    ),
    'bufferTime(20, null, 32)',
    source$.pipe(bufferTime(20, null, 32)),
  ],
  boundedMap: [
    source$.pipe(boundedMap({ project: (x) => of(x), concurrency: 4, maxQueued: 8 })),
    'mergeMap(project, 4)',
    source$.pipe(mergeMap((x) => of(x), 4)),
  ],
  pull: [
    pull({ open: counter, demand$: credits$ }),
    'range + concatMap(next)',
    defer(() => {
      const producer = counter();
      return source$.pipe(concatMap(() => producer.next()));
    }),
  ],
  'pull, async': [
    pull({ open: numbers, demand$: credits$ }),
    'from(asyncIterable), without demand',
    defer(() => from(numbers())),
  ],
  softCut: [source$.pipe(softCut(NEVER)), 'takeUntil', source$.pipe(takeUntil(NEVER))],
  hardCut: [
    source$.pipe(hardCut(NEVER, () => of(0))),
    'concat(takeUntil, last)',
    concat(source$.pipe(takeUntil(NEVER)), of(0)),
  ],
};

console.log(machine(), revision());
const chosen = process.argv.slice(2);
for (const [name, [ours$, nearest, nearest$]] of Object.entries(races)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  const drain = (all$: Observable<unknown>) => () => lastValueFrom(all$).then(() => undefined);
  const figures = await race({
    contenders: [
      { name, run: drain(ours$) },
      { name: nearest, run: drain(nearest$) },
    ],
    rounds: 7,
    warmups: 2,
  });
  const [ours, theirs] = figures;
  const ratio = theirs && ours ? Math.round((theirs.medianCpuMs / ours.medianCpuMs) * 100) / 100 : Number.NaN;
  report({ bench: `operators/${name}`, figures, facts: { ratio, target: 0.8 } });
}

/** The operators as `npm run build` ships them: tsx gives every closure a name at run time, which costs more than a small operator. */
async function shipped(): Promise<typeof Operators> {
  const root = join(import.meta.dirname, '..');
  const folder = join(root, '.cache', 'bench-operators');
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(join(root, 'operators'))) {
    const { outputText } = ts.transpileModule(readFileSync(join(root, 'operators', name), 'utf8'), {
      compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true },
    });
    writeFileSync(join(folder, name.replace('.ts', '.js')), outputText);
  }
  return import(join(folder, 'index.js'));
}
