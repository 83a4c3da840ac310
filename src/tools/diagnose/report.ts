import { TABLE_WIDTH, textTable, wrapText } from '../text-table.js';
import type { ColdWarm, Diagnosis, Figures, Path } from './schema.js';
import { showBytes, showCount, showFps, showMs, showRate } from './units.js';
import { waterfallOf } from './waterfall.js';

/** A diagnosis for a terminal: what it is about, every stage, the two ways as waterfalls, the verdict. At most 100 columns. */
export function reportOf(diagnosis: Diagnosis): string {
  const parts = [
    headOf(diagnosis),
    stageTable(diagnosis),
    decoderTable(diagnosis),
    modelTable(diagnosis),
    ...waterfalls(diagnosis),
    verdictText(diagnosis),
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

function headOf({ target, server, container, machine, runs }: Diagnosis): string {
  const yes = (is: boolean) => (is ? 'yes' : 'no');
  const lines = [
    target,
    `machine: ${machine.cpu}, ${machine.cores} cores, load ${machine.load1m.toFixed(1)} threads, Node ${machine.node}, ${machine.os}; warm stages up to ${showCount(runs, 'time')}`,
  ];
  if (server) {
    const { announcedS, idleS, closed } = server.keepAlive;
    const kept =
      idleS === undefined ? [] : [closed ? `closed when ${idleS} s idle` : `still open when ${idleS} s idle`];
    const facts = [
      `HTTP/${server.httpVersion}`,
      ...(server.tlsVersion ? [server.tlsVersion] : ['no TLS']),
      ...(server.tlsVersion ? [`ALPN ${server.alpn ?? 'none'}`] : []),
      `Range ${yes(server.acceptsRanges)}`,
      ...(server.sizeBytes === undefined ? [] : [showBytes(server.sizeBytes)]),
      ...(server.redirects > 0 ? [showCount(server.redirects, 'redirect')] : []),
      ...(announcedS === undefined ? [] : [`keep-alive ${announcedS} s`]),
      ...kept,
    ];
    lines.push(`server: ${facts.join(' · ')}`);
  }
  if (container) lines.push(`clip: ${clipFacts(container).join(' · ')}`);
  return lines.map(folded).join('\n');
}

const folded = (line: string): string => wrapText(cutWords(line), { indent: 8 });

/** A link can be longer than any line. */
const cutWords = (line: string) =>
  line.replaceAll(/\S+/g, (word) => (word.length > TABLE_WIDTH - 8 ? `${word.slice(0, TABLE_WIDTH - 9)}…` : word));

function clipFacts(container: NonNullable<Diagnosis['container']>): string[] {
  const { format, codec, width, height, frames, durationMs, keyframes, moov } = container;
  return [
    format,
    ...(codec === undefined ? [] : [codec]),
    ...(width === undefined || height === undefined ? [] : [`${width}×${height} pixels`]),
    ...(frames === undefined ? [] : [showCount(frames, 'frame')]),
    ...(durationMs === undefined ? [] : [`${(durationMs / 1000).toFixed(1)} s`]),
    ...(keyframes === undefined
      ? []
      : [
          `${showCount(keyframes, 'keyframe')} of ${showBytes(Math.round((container.keyframeBytes ?? 0) / Math.max(1, keyframes)))}`,
        ]),
    ...(moov === undefined ? ['no index'] : [`index (moov) at the ${moov}, ${showBytes(container.indexBytes ?? 0)}`]),
  ];
}

function stageTable({ connection, transfers, container, answer, server }: Diagnosis): string {
  const rows: string[][] = [];
  const add = (stage: string, { cold, warm }: ColdWarm, note = '') =>
    rows.push([stage, show(cold), show(warm), showMs(warm?.p95Ms), runsOf(cold, warm), note]);
  if (connection) {
    const { dns, tcp, tls, firstByte } = connection;
    if (dns.cold) add('DNS look-up', dns);
    if (tcp.cold) add('TCP connection', tcp, 'warm: not needed');
    if (tls.cold) add('TLS handshake', tls, `warm: not needed${server?.tlsVersion ? `; ${server.tlsVersion}` : ''}`);
    if (firstByte.cold) add('first byte', firstByte);
  }
  for (const one of transfers) {
    const rates = [one.coldBytesPerSecond, one.warmBytesPerSecond].map((rate, i) =>
      rate === undefined ? [] : [`${showRate(rate)} ${i === 0 ? 'cold' : 'warm'}`],
    );
    add(`transfer ${showBytes(one.bytes)}`, one, rates.flat().join(', '));
  }
  if (container) {
    const needed = container.bytesNeeded === undefined ? '' : `${showBytes(container.bytesNeeded)} in `;
    const count = `${needed}${showCount(container.requests, 'request')}`;
    add('container open', { warm: container.warm }, count);
  }
  if (answer)
    add(
      'answer encoding',
      answer.encode,
      `${answer.frames} frames, ${showBytes(answer.gzipBytes)} gzip; scene ${show(answer.scene.cold)}, ${show(answer.scene.warm)}`,
    );
  if (rows.length === 0) return '';
  const head = ['stage', 'cold', 'warm', 'warm p95', 'c+w runs', 'note'];
  return textTable({ head, rows, right: [1, 2, 3, 4] });
}

const show = (figures: Figures | undefined) => showMs(figures?.medianMs);
const runsOf = (cold: Figures | undefined, warm: Figures | undefined) => `${cold?.runs ?? 0}+${warm?.runs ?? 0}`;

function decoderTable({ decoders }: Diagnosis): string {
  if (decoders.length === 0) return '';
  const rows = decoders.map(({ name, unavailable, decodes, loadMs, firstFrame, firstFrameBytes, ...rest }) =>
    unavailable === undefined
      ? [
          decodes ?? name,
          showMs(loadMs),
          show(firstFrame?.cold),
          show(firstFrame?.warm),
          firstFrameBytes === undefined ? '–' : showBytes(firstFrameBytes),
          showMs(rest.keyframeMs),
          rest.framesPerSecond === undefined ? '–' : showFps(rest.framesPerSecond),
        ]
      : [name, 'not here', '–', '–', '–', '–', '–'],
  );
  const head = ['decoder', 'load', 'first frame', 'again', 'its bytes', 'a keyframe', 'full decode'];
  return textTable({ head, rows, right: [1, 2, 3, 4, 5, 6], flexible: 0 });
}

function modelTable({ models }: Diagnosis): string {
  if (!models) return '';
  const { names, device, input, loadMs, maxBatch, batches } = models;
  const title = `models: ${names.join(', ')} on ${device}, ${input.width}×${input.height} pixels, at most ${showCount(maxBatch, 'frame')} per batch; load and warm-up ${showMs(loadMs)}, once at start`;
  const rows = batches.map(({ size, firstMs, steady, framesPerSecond }) => [
    showCount(size, 'frame'),
    showMs(firstMs),
    showMs(steady.medianMs),
    showMs(steady.p95Ms),
    `${steady.runs}`,
    showFps(framesPerSecond),
  ]);
  const table = textTable({
    head: ['batch', 'first', 'steady', 'steady p95', 'runs', 'rate'],
    rows,
    right: [0, 1, 2, 3, 4, 5],
  });
  return `${folded(title)}\n${table}`;
}

function waterfalls({ verdict: { cold, warm, pictures } }: Diagnosis): string[] {
  const what = pictures === undefined ? '' : ` (${showCount(pictures, 'picture')})`;
  const drawn = (name: string, path: Path | undefined) =>
    path
      ? [
          `${name}: ${showMs(path.totalMs)} to the first answer over the whole clip${what}\n${waterfallOf(path).join('\n')}`,
        ]
      : [];
  return [...drawn('cold', cold), ...drawn('warm', warm)];
}

function verdictText({ verdict, failed }: Diagnosis): string {
  const { cold, warm, rates, notes } = verdict;
  const lines = [
    ...pathLines('cold', cold),
    ...pathLines('warm', warm),
    ...(rates ? [`then: ${rates.text}`] : []),
    ...notes.map(({ text, setting }) => `note: ${text}${setting ? ` -> ${setting}` : ''}`),
    ...(failed ? [`stopped: ${failed.stage}: ${failed.code}: ${failed.message}`] : []),
  ];
  if (lines.length === 0) return '';
  const title = failed ? 'largest avoidable cost, of what was measured' : 'largest avoidable cost';
  return [title, ...lines.map(folded)].join('\n');
}

function pathLines(name: string, path: Path | undefined): string[] {
  if (!path) return [];
  const [largest] = path.costs;
  const mend = largest ? `-> ${largest.setting ? `${largest.setting}: ` : ''}${largest.mend}` : '';
  return [`${name}: ${path.verdict}${mend && ` ${mend}`}`];
}
