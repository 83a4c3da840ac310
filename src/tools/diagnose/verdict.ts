import { FIXED_STRIDE } from '../../plan/index.js';
import { rounded } from './figures.js';
import { type FirstPass, firstPass, usedBatch, usedDecoder } from './first-pass.js';
import {
  type Case,
  type Mend,
  mendAnswer,
  mendDecoding,
  mendIndex,
  mendInference,
  mendSetUp,
  mendTransfer,
} from './mends.js';
import { notesOn } from './notes.js';
import type { Cost, Measurements, Path, Verdict } from './schema.js';
import type { Settings } from './settings.js';
import { showFps, showMs } from './units.js';

type Temperature = 'cold' | 'warm';

/**
 * What the measurements say: the way from a challenge to the first answer that covers the whole clip, cold and warm, with the
 * costs on it that can be avoided, and what limits the refinement behind it. The steps are laid one after another; the
 * pipeline overlaps the last ones, so the sum is an upper bound.
 */
export function concludeFrom(measured: Measurements, settings: Settings, origin: string): Verdict {
  const pass = firstPass(measured, settings);
  const rates = ratesOf(measured, settings);
  const path = (temperature: Temperature) => pathOf({ measured, settings, origin, pass, temperature });
  const [cold, warm] = [path('cold'), path('warm')];
  return {
    ...(pass.pictures === undefined ? {} : { pictures: pass.pictures }),
    ...(cold ? { cold } : {}),
    ...(warm ? { warm } : {}),
    ...(rates ? { rates } : {}),
    notes: notesOn(measured, settings),
  };
}

interface PathOptions {
  readonly measured: Measurements;
  readonly settings: Settings;
  readonly origin: string;
  readonly pass: FirstPass;
  readonly temperature: Temperature;
}

function pathOf(options: PathOptions): Path | undefined {
  const { measured, settings, origin, temperature } = options;
  const bytesPerSecond = throughput(measured, temperature);
  const found = stepsOf(options, bytesPerSecond).filter(({ ms }) => ms !== undefined);
  const steps = found.map(({ step, ms = 0 }) => ({ step, ms: rounded(ms) }));
  if (steps.length === 0) return undefined;
  const totalMs = rounded(steps.reduce((sum, { ms }) => sum + ms, 0));
  const sum = (names: readonly string[]) =>
    steps.reduce((total, { step, ms }) => (names.includes(step) ? total + ms : total), 0);
  const setUpMs = sum(SET_UP) + (sum(SET_UP) > 0 ? sum([FIRST_BYTE]) - warmFirstByte(measured, sum([FIRST_BYTE])) : 0);
  const aroundMs = sum([...SET_UP, FIRST_BYTE, 'index', 'answer']);
  const around = { aroundMs, aroundWarmMs: aroundMs - setUpMs };
  const spent: readonly (readonly [Cost['cost'], number, (one: Case) => Mend | undefined])[] = [
    ['connection set-up', Math.max(0, setUpMs), mendSetUp],
    ['index behind the media data', sum(['index']), mendIndex],
    ['transfer', sum(['transfer']), mendTransfer],
    ['decoding', sum(['decoding']), mendDecoding],
    ['inference', sum(['inference']), mendInference],
    ['answer encoding', sum(['answer']), mendAnswer],
  ];
  const costs = spent
    .flatMap(([cost, costMs, mend]): Cost[] => {
      const mended = costMs > 0 && mend({ measured, settings, origin, costMs, bytesPerSecond, ...around });
      return mended ? [{ cost, ms: rounded(costMs), ...mended }] : [];
    })
    .sort((a, b) => b.ms - a.ms);
  return { totalMs, steps, costs, verdict: sentence(costs[0], totalMs) };
}

const SET_UP = ['DNS', 'TCP', 'TLS'];
const FIRST_BYTE = 'first byte';

function stepsOf({ measured, settings, pass, temperature }: PathOptions, bytesPerSecond: number | undefined) {
  const { connection, container, answer } = measured;
  const connects = temperature === 'cold' || !settings.pooled;
  const setUp = (name: 'dns' | 'tcp' | 'tls') => (connects ? connection?.[name].cold?.medianMs : undefined);
  const warm = connection?.firstByte.warm?.medianMs;
  const first = connects ? connection?.firstByte.cold?.medianMs : warm;
  const index = container?.moov === 'end' && warm !== undefined ? container.warm.medianMs - warm : undefined;
  const answerMs = (part: 'scene' | 'encode') => (answer?.[part][temperature] ?? answer?.[part].cold)?.medianMs ?? 0;
  return [
    { step: 'DNS', ms: setUp('dns') },
    { step: 'TCP', ms: setUp('tcp') },
    { step: 'TLS', ms: setUp('tls') },
    { step: FIRST_BYTE, ms: first },
    { step: 'index', ms: index === undefined ? undefined : Math.max(0, index) },
    { step: 'transfer', ms: pass.bytes && bytesPerSecond ? (pass.bytes * 1000) / bytesPerSecond : undefined },
    { step: 'decoding', ms: pass.decodeMs },
    { step: 'inference', ms: pass.inferMs },
    { step: 'answer', ms: answer ? answerMs('scene') + answerMs('encode') : undefined },
  ];
}

const warmFirstByte = ({ connection }: Measurements, otherwise: number) =>
  Math.min(otherwise, connection?.firstByte.warm?.medianMs ?? otherwise);

/** Of the largest transfer there is: the smaller ones measure the start of the window. */
function throughput({ transfers }: Measurements, temperature: Temperature): number | undefined {
  const largest = transfers.at(-1);
  const { coldBytesPerSecond: cold, warmBytesPerSecond: warm } = largest ?? {};
  const coldest = transfers.findLast(({ coldBytesPerSecond }) => coldBytesPerSecond !== undefined)?.coldBytesPerSecond;
  return temperature === 'cold' ? (cold ?? coldest ?? warm) : (warm ?? cold ?? coldest);
}

function sentence(largest: Cost | undefined, totalMs: number): string {
  if (!largest) return 'nothing on this way can be avoided by a setting';
  const share = Math.round((largest.ms / Math.max(totalMs, 0.01)) * 100);
  return `${largest.cost}, ${showMs(largest.ms)} of ${showMs(totalMs)} (${share} %)`;
}

/** Frames of the clip per second that each stage can carry behind the first pass; models see every `stride`-th. */
function ratesOf(measured: Measurements, settings: Settings): Verdict['rates'] {
  const { server, container } = measured;
  const stride = settings.stride ?? FIXED_STRIDE;
  const frameBytes = server?.sizeBytes && container?.frames ? server.sizeBytes / container.frames : undefined;
  const bytesPerSecond = throughput(measured, 'warm');
  const decodeFps = usedDecoder(measured, settings)?.framesPerSecond;
  const batchFps = usedBatch(measured, settings)?.framesPerSecond;
  const rates = {
    ...(frameBytes && bytesPerSecond ? { linkFps: rounded(bytesPerSecond / frameBytes) } : {}),
    ...(decodeFps === undefined ? {} : { decodeFps }),
    ...(batchFps === undefined ? {} : { inferenceFps: rounded(batchFps * stride) }),
  };
  const named = [
    ['link', rates.linkFps],
    ['decoder', rates.decodeFps],
    ['models', rates.inferenceFps],
  ] as const;
  const known = named.flatMap(([name, fps]) => (fps === undefined ? [] : [{ name, fps }]));
  const [slowest] = [...known].sort((a, b) => a.fps - b.fps);
  if (known.length < named.length || !slowest) return undefined;
  const shown = known.map(({ name, fps }) => `${name} ${showFps(fps)}`).join(', ');
  const strideText = `the models at one of ${stride} frames${settings.stride === undefined ? '; FRAME_STRIDE=auto adapts that' : ''}`;
  return {
    ...rates,
    limit: slowest.name,
    text: `${slowest.name} limit${slowest.name === 'models' ? '' : 's'} it: ${shown} (${strideText})`,
  };
}
