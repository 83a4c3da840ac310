import { measureAnswer } from './measure-answer.js';
import { measureContainer, measureDecoders } from './measure-clip.js';
import { type MeasuredLink, measureLink } from './measure-link.js';
import { measureModels, type OpenModels } from './measure-models.js';
import { createMeasuring, type Measuring } from './measuring.js';
import type { ClipProbe } from './probe-clip.js';
import type { DecoderProbe } from './probe-decoder.js';
import type { LinkProbe } from './probe-link.js';
import { stageError } from './run-stage.js';
import type { Diagnosis, Measurements, Stage } from './schema.js';
import { type Settings, settingLines } from './settings.js';
import { concludeFrom } from './verdict.js';

/** What is measured, each part on its own. */
export interface DiagnosePorts {
  readonly link: LinkProbe;
  readonly clip: ClipProbe;
  readonly decoders: readonly DecoderProbe[];
  readonly openModels: OpenModels;
}

export interface DiagnoseOptions {
  /** The link as it is shown: without its query. */
  readonly target: string;
  readonly settings: Settings;
  readonly machine: Diagnosis['machine'];
  /** Repetitions of what is warm, 1… */
  readonly runs: number;
  /** Longest time of one stage, ms. */
  readonly stageLimitMs: number;
  readonly signal: AbortSignal;
  readonly onStage?: ((stage: Stage) => void) | undefined;
}

/**
 * Measures every stage of a challenge on its own, cold and warm, and says what they come to. A stage that fails ends the
 * measurement; what was measured until then is in the diagnosis, with `failed`. Never rejects for what a server or clip does.
 */
export async function diagnose(ports: DiagnosePorts, options: DiagnoseOptions): Promise<Diagnosis> {
  const { target, settings, machine, runs, stageLimitMs, signal, onStage } = options;
  const measured: Measurements = {
    version: 1,
    target,
    at: new Date().toISOString(),
    runs,
    machine,
    settings: settingLines(settings),
    transfers: [],
    decoders: [],
  };
  const measuring = createMeasuring({ measured, runs, stageLimitMs, signal, onStage });
  let kept: MeasuredLink | undefined;
  try {
    kept = await measureLink(ports.link, measuring);
    await measureMachine(ports, kept.url, { measuring, settings });
  } catch (error) {
    const { stage, code, message } = stageError(measuring.stage, error);
    measured.failed = { stage, code, message };
  } finally {
    describeKeepAlive(measured, kept);
    await kept?.link.close();
  }
  return { ...measured, verdict: concludeFrom(measured, settings, (kept?.url ?? ports.link.url).origin) };
}

interface MachineOptions {
  readonly measuring: Measuring;
  readonly settings: Settings;
}

async function measureMachine(ports: DiagnosePorts, url: URL, { measuring, settings }: MachineOptions): Promise<void> {
  const sample = await measureContainer(ports.clip, url, measuring);
  const pictures = await measureDecoders(ports.decoders, sample, measuring);
  const found = await measureModels(ports.openModels, pictures, measuring);
  // Only the time counts here, which no bars change.
  const input = { ...(measuring.measured.models?.input ?? { width: 0, height: 0 }), fit: 'stretch' } as const;
  const { dropUnscored } = settings;
  await measureAnswer({ found, picture: pictures[0], input, dropUnscored }, measuring);
}

/** The connection has lain idle since its last transfer, beside all that was measured in between. */
function describeKeepAlive({ server }: Measurements, kept: MeasuredLink | undefined): void {
  if (!server || !kept) return;
  const { idleMs, closed, brokenOff } = kept.link;
  if (closed && brokenOff) return;
  server.keepAlive = { ...server.keepAlive, idleS: Math.round(idleMs / 100) / 10, closed };
}
