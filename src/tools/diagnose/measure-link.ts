import { TikitakaError } from '../../../operators/index.js';
import { coldWarm, figuresOf, rateOf } from './figures.js';
import { type Measuring, repeat } from './measuring.js';
import type { LinkProbe, ProbedAnswer, ProbedLink } from './probe-link.js';
import { StageError } from './run-stage.js';

/** Bytes taken from the start of the file, as far as it goes. */
const TRANSFER_BYTES = [256_000, 1_000_000, 4_000_000] as const;
/** A cold transfer that would take longer is left out: the warm one tells the same but for the start. Chosen. */
const COLD_TRANSFER_MS = 3000;
const MAX_REDIRECTS = 5;

/** The connection that stays, to see how long the server keeps it, and where the redirects led. */
export interface MeasuredLink {
  readonly link: ProbedLink;
  readonly url: URL;
}

/**
 * Sets connections up, takes bytes over new ones and over a used one. Each step that is done stands in `measured`, whatever
 * comes after it.
 */
export async function measureLink(probe: LinkProbe, measuring: Measuring): Promise<MeasuredLink> {
  const { runs } = measuring;
  const times = createTimes(measuring);
  let opened = await openFirst(probe, measuring, times);
  const { url } = opened;
  let { link } = opened;
  try {
    describeServer(measuring, opened);
    const sizes = transferSizes(opened.answer.range?.sizeBytes);
    for (const [i, bytes] of sizes.entries()) {
      if (i > 0) {
        if (times.predictMs(bytes) > COLD_TRANSFER_MS) break;
        await link.close();
        opened = await openAt(url, probe, measuring, times, bytes);
        ({ link } = opened);
      }
      times.transfer('cold', bytes, await measuring.run('transfer', () => opened.answer.read()));
    }
    for (const bytes of sizes) {
      await repeat(runs, async () => {
        if (link.closed) return;
        const answer = await measuring.run('first byte', (signal) => link.ask(bytes, signal));
        times.firstByte('warm', answer.firstByteMs);
        times.transfer('warm', bytes, await measuring.run('transfer', () => answer.read()));
      });
    }
    return { link, url };
  } catch (error) {
    await link.close();
    throw error;
  }
}

interface Opened {
  readonly link: ProbedLink;
  readonly answer: ProbedAnswer;
  readonly url: URL;
  readonly redirects: number;
}

/** Follows redirects, each with a connection of its own where it leads elsewhere. */
async function openFirst(probe: LinkProbe, measuring: Measuring, times: Times): Promise<Opened> {
  let { url } = probe;
  for (let redirects = 0; ; redirects++) {
    const opened = await openAt(url, probe, measuring, times, TRANSFER_BYTES[0]);
    const { redirect } = opened.answer;
    if (!redirect) return { ...opened, redirects };
    opened.answer.cancel();
    await opened.link.close();
    if (redirects === MAX_REDIRECTS)
      throw new StageError('first byte', 'ERR_SOURCE_STATUS', `more than ${MAX_REDIRECTS} redirects`);
    times.forget();
    url = redirect;
  }
}

async function openAt(url: URL, probe: LinkProbe, measuring: Measuring, times: Times, bytes: number): Promise<Opened> {
  const link = await measuring.run('TLS handshake', (signal) =>
    probe.connect(url, signal, (step, ms) => times.step(step, ms)),
  );
  try {
    const answer = await measuring.run('first byte', (signal) => link.ask(bytes, signal));
    times.firstByte('cold', answer.firstByteMs);
    return { link, answer, url, redirects: 0 };
  } catch (error) {
    await link.close();
    throw error;
  }
}

function describeServer({ measured }: Measuring, { link, answer, redirects }: Opened): void {
  const { range, keepAliveS } = answer;
  measured.server = {
    httpVersion: link.httpVersion,
    ...(link.tls ? { tlsVersion: link.tls.version } : {}),
    ...(link.tls?.alpn === undefined ? {} : { alpn: link.tls.alpn }),
    acceptsRanges: range?.partial ?? false,
    redirects,
    ...(range?.sizeBytes === undefined ? {} : { sizeBytes: range.sizeBytes }),
    keepAlive: keepAliveS === undefined ? {} : { announcedS: keepAliveS },
  };
}

function transferSizes(sizeBytes = Number.POSITIVE_INFINITY): readonly number[] {
  if (sizeBytes === 0) throw new TikitakaError('ERR_SOURCE_EMPTY', 'the source has no bytes');
  const whole = TRANSFER_BYTES.filter((bytes) => bytes <= sizeBytes);
  return whole.length > 0 ? whole : [sizeBytes];
}

type Temperature = 'cold' | 'warm';
type Times = ReturnType<typeof createTimes>;

/** Collects measurements and keeps `measured` up to date with them. */
function createTimes({ measured }: Measuring) {
  const set = () => ({ dns: [] as number[], tcp: [] as number[], tls: [] as number[] });
  let setUp = set();
  let firstByte: Record<Temperature, number[]> = { cold: [], warm: [] };
  const transfers = new Map<number, Record<Temperature, number[]>>();

  function publish(): void {
    const [firstDns, ...otherDns] = setUp.dns;
    measured.connection = {
      dns: coldWarm(firstDns === undefined ? [] : [firstDns], otherDns),
      tcp: coldWarm(setUp.tcp),
      tls: coldWarm(setUp.tls),
      firstByte: coldWarm(firstByte.cold, firstByte.warm),
    };
    measured.transfers = [...transfers].map(([bytes, took]) => {
      const [cold, warm] = [figuresOf(took.cold), figuresOf(took.warm)];
      return {
        bytes,
        ...(cold ? { cold, coldBytesPerSecond: rateOf(bytes, cold) } : {}),
        ...(warm ? { warm, warmBytesPerSecond: rateOf(bytes, warm) } : {}),
      };
    });
  }

  return {
    step(step: 'DNS look-up' | 'TCP connection' | 'TLS handshake', ms: number) {
      const name = step === 'DNS look-up' ? 'dns' : step === 'TCP connection' ? 'tcp' : 'tls';
      setUp[name].push(ms);
      publish();
    },
    firstByte(temperature: Temperature, ms: number) {
      firstByte[temperature].push(ms);
      publish();
    },
    transfer(temperature: Temperature, wanted: number, { bytes, ms }: { bytes: number; ms: number }) {
      const size = Math.min(wanted, bytes);
      const known = transfers.get(size) ?? { cold: [], warm: [] };
      known[temperature].push(ms);
      transfers.set(size, known);
      publish();
    },
    /** What so many bytes would take at the rate of the largest cold transfer so far, ms. */
    predictMs(bytes: number): number {
      const [size, took] = [...transfers].at(-1) ?? [1, { cold: [0] }];
      return (Math.max(0, ...took.cold) * bytes) / size;
    },
    /** The way led elsewhere: what a redirect cost is no measurement of the server behind it. */
    forget() {
      setUp = set();
      firstByte = { cold: [], warm: [] };
    },
  };
}
