import { resolve } from 'node:path';
import type { ConfigKey } from '../app/config.js';
import { shown } from '../net/link-policy.js';
import { createFarServer } from '../tools/demo/far-server.js';
import { CDN } from '../tools/demo/situation.js';
import { demoClip } from './demo-clip.js';

/** The clip that is measured, and what a process needs to reach it. */
export interface BenchClip {
  readonly target: string;
  /** As it may be shown. */
  readonly name: string;
  readonly ca?: string | undefined;
  readonly truthPath?: string | undefined;
  readonly overrides: Partial<Record<ConfigKey, string>>;
  close(): Promise<void>;
}

export interface BenchClipOptions {
  /** File or URL; undefined: the demo clip over its shaped link. */
  readonly target: string | undefined;
  readonly truth: string | undefined;
  readonly signal: AbortSignal;
  onProgress(text: string): void;
}

/** Errors: ERR_DEMO_SERVER, ERR_ENCODE, ERR_RENDER. */
export async function openBenchClip({ target, truth, signal, onProgress }: BenchClipOptions): Promise<BenchClip> {
  if (target === undefined) return openDemo({ truth, signal, onProgress });
  const isUrl = /^https?:\/\//i.test(target);
  return {
    target: isUrl ? target : resolve(target),
    name: isUrl ? shown(target) : target,
    truthPath: truth,
    overrides: isUrl ? warmed(target) : {},
    close: async () => undefined,
  };
}

async function openDemo({ truth, signal, onProgress }: Omit<BenchClipOptions, 'target'>): Promise<BenchClip> {
  const clip = await demoClip({ signal, onProgress });
  const server = await createFarServer({ files: { '/match.mp4': clip.path }, link: CDN });
  return {
    target: `${server.url}/match.mp4`,
    name: 'the demo clip over its shaped link (60 ms, 5 MB/s)',
    ca: server.ca,
    truthPath: truth ?? clip.truthPath,
    overrides: { CONNECT_TIMEOUT_S: '5', ...warmed(server.url) },
    close: server.close,
  };
}

/** What is measured is a server that has been running for a while. */
const warmed = (url: string): BenchClip['overrides'] => ({
  PREWARM_ORIGINS: new URL(url).origin,
  KEEP_ALIVE_S: '3600',
});
