import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { TikitakaError } from '../../operators/index.js';
import type { ModelPicture, PictureFinding } from '../contract.js';
import { childEnvironment, childFlags } from './child-environment.js';
import {
  type Device,
  type FromChild,
  type LoadMessage,
  type ReadyMessage,
  type ToChild,
  unpackFindings,
} from './protocol.js';
import { createSharedFile } from './shared-file.js';

/** How one run ended. */
export type RunEnd =
  | { readonly findings: readonly PictureFinding[]; readonly ms: number; readonly rssBytes: number }
  | { readonly error: TikitakaError };

/** One child process with one session. */
export interface SessionProcess {
  readonly pid: number | undefined;
  /** Loaded and warm. Rejects with ERR_MODEL_LOAD or ERR_MODEL_SHAPE; the process is ended then. */
  readonly ready: Promise<ReadyMessage>;
  /** Resolves when the process is gone and its memory file closed, with the reason. */
  readonly gone: Promise<string>;
  /** The device that is being tried, or runs. */
  readonly device: () => Device;
  /**
   * Copies the pictures into the shared memory and asks for a run; at most `runsInFlight` at a time, answered in order.
   * `onEnd` is called once, unless the process is gone before. Errors: ERR_INFERENCE, thrown at call (nothing was sent).
   */
  run(pictures: readonly ModelPicture[], onEnd: (end: RunEnd) => void): void;
  /** SIGKILL: the only thing that ends a running inference (docs/measurements.md "Inference"). Idempotent. */
  kill(): void;
}

/** One run computes while the pictures of the next are copied. */
export const runsInFlight = 2;

/** Last words of a native library, kept for the error message. */
const maxStderrChars = 2000;

/** Beside this file: `.ts` under a loader such as tsx (whose flags fork passes on), `.js` when built. */
const childFile = fileURLToPath(
  new URL(`./child${import.meta.url.slice(import.meta.url.lastIndexOf('.'))}`, import.meta.url),
);

/** Children to end when this process exits by `process.exit` or an uncaught error; after SIGKILL they see the closed channel. */
const alive = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

/** Starts the process and loads the model in it. */
export function startSession(load: LoadMessage): SessionProcess {
  const { picture } = load.input;
  const frameBytes = picture.width * picture.height * 3;
  const memory = createSharedFile(runsInFlight * load.batchSize * frameBytes);
  const child = fork(childFile, [], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc', memory.fd],
    execArgv: childFlags(),
    env: childEnvironment(),
  });
  alive.add(child);
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-maxStderrChars);
  });

  const ends = new Map<number, (end: RunEnd) => void>();
  let nextId = 0;
  const settle = (id: number, end: RunEnd) => {
    const onEnd = ends.get(id);
    ends.delete(id);
    onEnd?.(end);
  };

  let device: Device = load.devices[0] ?? 'cpu';
  const ready = new Promise<ReadyMessage>((resolve, reject) => {
    const refuse = (code: string, message: string, options: { cause?: unknown; retryable?: boolean } = {}) => {
      child.kill('SIGKILL');
      reject(new TikitakaError(code, message, { ...options, details: { file: load.file, device } }));
    };
    // Memory or processes may be short only now; what the child itself says of the file stays so.
    child.on('error', (cause) =>
      refuse('ERR_MODEL_LOAD', `the model process fails: ${cause.message}`, { cause, retryable: true }),
    );
    child.once('close', (code, signal) =>
      refuse(
        'ERR_MODEL_LOAD',
        `${load.file}: the model process ended while loading on ${device} (${signal ?? code}) ${stderr.trim()}`,
        { retryable: true },
      ),
    );
    child.on('message', (message) => {
      if (!isFromChild(message)) return;
      if (message.type === 'trying') device = message.device;
      else if (message.type === 'ready') resolve(message);
      else if (message.type === 'failed') refuse(message.code, message.message);
      else if (message.type === 'result') {
        const { id, ms, rssBytes, findings } = message;
        settle(id, { findings: unpackFindings(findings), ms, rssBytes });
      } else settle(message.id, { error: new TikitakaError('ERR_INFERENCE', `${load.file}: ${message.message}`) });
    });
  });
  // Nobody may be waiting any more when a process that loads is killed.
  ready.catch(() => undefined);

  const gone = new Promise<string>((resolve) => {
    child.once('close', (code, signal) => {
      alive.delete(child);
      memory.close();
      resolve([`${signal ?? `exit code ${code}`}`, stderr.trim()].filter(Boolean).join(': '));
    });
  });

  const send = (message: ToChild) => {
    // A channel that is closing reports through 'exit'; without a callback the failed write would be an 'error' event.
    child.send(message, () => undefined);
  };
  send(load);

  return {
    pid: child.pid,
    ready,
    gone,
    device: () => device,
    run(pictures, onEnd) {
      const id = nextId++;
      const offset = (id % runsInFlight) * load.batchSize * frameBytes;
      memory.write(
        pictures.map(({ pixels }) => pixels),
        offset,
      );
      ends.set(id, onEnd);
      send({
        type: 'run',
        id,
        offset,
        sourceSizes: pictures.map((picture) => [picture.sourceWidth, picture.sourceHeight]),
      });
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

const isFromChild = (message: unknown): message is FromChild =>
  typeof message === 'object' && message !== null && 'type' in message;
