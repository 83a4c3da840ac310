import assert from 'node:assert/strict';
import { type LateCostOptions, lateCost, showCost } from '../../../src/challenge/late-cost.js';
import type { Span } from '../../../src/challenge/timeline.js';

interface Course {
  readonly setUpMs?: number;
  /** Ends of the steps, ms from the request. */
  readonly connectedMs?: number;
  readonly openedMs?: number;
  readonly decodedMs?: number;
  readonly foundMs?: number;
  readonly nowMs?: number;
  readonly target?: string;
}

function course(of: Course): LateCostOptions {
  const { setUpMs, connectedMs, openedMs, decodedMs, foundMs, nowMs = 3000, target = 'https://a.example/clip' } = of;
  const span = (stage: Span['stage'], startMs: number, endMs: number | undefined) =>
    endMs === undefined ? [] : [{ stage, startMs, endMs, facts: {} }];
  const mark = (name: string, ms: number | undefined) => (ms === undefined ? [] : [[name, ms] as const]);
  return {
    target,
    timeline: {
      elapsedMs: () => nowMs,
      spans: [...span('connect', 10, connectedMs), ...span('open', connectedMs ?? 0, openedMs)],
      marks: new Map([...mark('first-frame', decodedMs), ...mark('first-finding', foundMs)]),
    },
    source:
      connectedMs === undefined
        ? undefined
        : {
            connection: {
              httpVersion: '2',
              reused: setUpMs === undefined,
              firstByteMs: 60,
              ...(setUpMs === undefined ? {} : { setUp: { dnsMs: 0, tcpMs: 60, tlsMs: setUpMs - 60 } }),
            },
          },
  };
}

describe('what an answer was late for', () => {
  const mend = 'PREWARM_ORIGINS connects at the start, KEEP_WARM_S keeps connected';
  const all = { connectedMs: 100, openedMs: 200, decodedMs: 300, foundMs: 400 };
  const cases: readonly (readonly [why: string, of: Course, shown: string])[] = [
    [
      'a cold origin',
      { ...all, setUpMs: 2400, connectedMs: 2470, openedMs: 2500 },
      `connection set-up 2.41 s; ${mend}`,
    ],
    ['nobody has answered yet', {}, `connecting 3.00 s; ${mend}`],
    ['a file that cannot be prewarmed', { target: '/clips/a.mp4' }, 'connecting 3.00 s'],
    ['an origin that thinks', { ...all, connectedMs: 2000, openedMs: 2050 }, "the origin's first byte 1.99 s"],
    ['an index that does not come', { connectedMs: 100 }, 'reading the index 2.90 s'],
    ['a slow decoder', { connectedMs: 100, openedMs: 200 }, 'decoding the first frame 2.80 s'],
    ['slow models', { ...all, foundMs: 2000 }, 'the first inference 1.70 s'],
  ];
  for (const [why, of, shown] of cases) {
    it(why, () => assert.equal(showCost(lateCost(course(of))), shown));
  }
});
