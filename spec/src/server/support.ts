import { type IncomingHttpHeaders, request } from 'node:http';
import { Observable, Subject } from 'rxjs';
import { keyPairFromSeed, toAddress, toPublicKey, verifySignature } from '../../../src/chain/keys.js';
import {
  type Answerer,
  type AnswererEvent,
  type AppDeps,
  type Challenge,
  createApp,
  createAuth,
  type RunningServer,
  type ServeOptions,
  type SignedAuthOptions,
  serve,
} from '../../../src/server/index.js';
import { signRequest, soccerSigning } from '../../../src/server/signing.js';
import { vectors } from './auth-vectors.js';

/** An answerer whose runs the test drives by hand; `log` tells the order of events. */
export function manualAnswerer() {
  const log: string[] = [];
  const runs: { challenge: Challenge; events: Subject<AnswererEvent> }[] = [];
  const answerer: Answerer = {
    answer: (challenge) =>
      new Observable((subscriber) => {
        const events = new Subject<AnswererEvent>();
        log.push(`start ${challenge.videoUrl}`);
        runs.push({ challenge, events });
        const subscription = events.subscribe(subscriber);
        return () => {
          log.push(`end ${challenge.videoUrl}`);
          subscription.unsubscribe();
        };
      }),
  };
  return {
    answerer,
    log,
    runs,
    /** Drives the run begun as number `index`. */
    emit: (index: number, event: AnswererEvent) => runs.at(index)?.events.next(event),
    fail: (index: number, error: unknown) => runs.at(index)?.events.error(error),
  };
}

export const frameText = (index: number) =>
  JSON.stringify({ frame_number: index, keypoints: Array.from({ length: 32 }, () => [0, 0]), objects: [] });

/** An answer event of `frames` empty frames. */
export function answerOf(
  frames: number,
  more: Partial<Extract<AnswererEvent, { type: 'answer' }>['answer']> = {},
): AnswererEvent {
  const list = Array.from({ length: frames }, (_, index) => frameText(index)).join(',');
  return { type: 'answer', answer: { tail: Buffer.from(`"frames":[${list}]}`), ...more } };
}

const validatorPair = () => keyPairFromSeed(vectors.validatorSeed);

/** The protocol headers as a caller makes them at `nowMs`. */
export function signedHeaders(body: string | Uint8Array, { nowMs = Date.now(), miner = vectors.miner as string } = {}) {
  return signRequest({
    scheme: soccerSigning,
    caller: vectors.validator,
    addressed: miner,
    body: Buffer.from(body),
    nowMs,
    sign: validatorPair().sign,
  });
}

export function challengeBody(videoUrl: string, challengeId = 'test-0001'): string {
  return JSON.stringify({ challenge_id: challengeId, type: 'gsr', video_url: videoUrl, created_at: null });
}

export function chainAuth(changes: Partial<SignedAuthOptions> = {}) {
  return createAuth({
    mode: 'chain',
    ownHotkey: vectors.miner,
    findMember: (hotkey) =>
      hotkey === vectors.validator ? { publicKey: toPublicKey(vectors.validator), taoStake: 20_000 } : undefined,
    verifySignature,
    ...changes,
  });
}

export const strangerAddress = toAddress(new Uint8Array(32).fill(7));

/** Servers started by a spec file; call `closeAll` after each test. */
export function serverBox() {
  const open: RunningServer[] = [];
  return {
    async start(deps: Partial<AppDeps> & Pick<AppDeps, 'answerer'>, options: Partial<ServeOptions> = {}) {
      const app = createApp({ auth: createAuth({ mode: 'off' }), version: '0.0.0', ...deps });
      const local = { host: '127.0.0.1', port: 0 };
      const server = await serve({ app, ...local, status: local, graceMs: 50, ...options });
      open.push(server);
      return Object.assign(server, { app });
    },
    /** Port of the latest one. */
    port: () => open.at(-1)?.port ?? 0,
    async closeAll() {
      await Promise.all(open.splice(0).map((server) => server.close()));
    },
  };
}

export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: Buffer;
  readonly text: string;
}

export interface CallOptions {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
  /** Told of every chunk of the body as it comes. */
  readonly onChunk?: (text: string) => void;
}

/** One request on a connection of its own. */
export function call(
  url: string,
  { method = 'GET', headers = {}, body, signal, onChunk }: CallOptions = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers, agent: false, ...(signal ? { signal } : {}) }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk);
        onChunk?.(chunk.toString());
      });
      response.on('error', reject);
      response.on('end', () => {
        const bytes = Buffer.concat(chunks);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes, text: bytes.toString() });
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

/** Resolves when `condition` holds; looks again after every turn of the event loop. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
