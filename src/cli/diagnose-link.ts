import { openModelSet, shippedModels } from '../../models/index.js';
import { OptionError } from '../../operators/index.js';
import { clipLimits } from '../app/clip-limits.js';
import { FIRST_BYTES } from '../app/clip-source.js';
import type { Config } from '../app/config.js';
import { decoderChoice } from '../app/decoder-choice.js';
import { createLogger } from '../app/log.js';
import { modelSetOptions, withImageSize } from '../app/model-choice.js';
import { createLinkPolicy, createPool, shown } from '../net/index.js';
import {
  createClipProbe,
  createDecoderProbe,
  createLinkProbe,
  type DiagnoseOptions,
  type Diagnosis,
  diagnose,
  settingsOf,
} from '../tools/diagnose/index.js';
import { machine } from '../tools/machine.js';

export interface DiagnoseLinkOptions extends Pick<DiagnoseOptions, 'runs' | 'stageLimitMs' | 'signal' | 'onStage'> {
  /** http(s) link; an operator's own: private addresses may be measured, as `run` reads them. */
  readonly target: string;
  /** PEM certificates trusted instead of the usual ones. */
  readonly ca?: string | undefined;
  readonly config: Config;
}

/** Idle connections of a diagnosis are kept until its end. */
const KEEP_MS = 3_600_000;

/** Diagnoses a link with the decoders and models of the configuration. Errors: ERR_SOURCE_REFUSED, ERR_OPTION and ERR_MODEL_DESCRIPTION before anything is measured. */
export async function diagnoseLink(options: DiagnoseLinkOptions): Promise<Diagnosis> {
  const { target, ca, stageLimitMs } = options;
  const policy = createLinkPolicy({ allowPrivate: true });
  const timeouts = {
    connectTimeoutMs: options.config.CONNECT_TIMEOUT_S * 1000,
    readTimeoutMs: options.config.READ_TIMEOUT_S * 1000,
  };
  const link = createLinkProbe({ target, policy, ca, ...timeouts });
  const log = createLogger(options.config);
  const config = await withImageSize(options.config, log);
  const modelOptions = { ...modelSetOptions(config, log), spare: false, loadTimeoutMs: stageLimitMs };
  const [model] = modelOptions.models;
  if (!model) throw new OptionError('no model is configured');
  const { input, family } = model.description;
  const widths = shippedModels()
    .filter(({ description }) => family !== undefined && description.family === family)
    .map(({ description }) => description.input.width);
  const facts = machine();
  const pool = createPool({ policy, ...timeouts, keepAliveMs: KEEP_MS, ...(ca === undefined ? {} : { ca }) });
  const limits = clipLimits(config);
  const decoderProbe = (decoder: 'libav' | 'ffmpeg') =>
    createDecoderProbe({
      choice: { ...decoderChoice(config), decoder },
      input,
      threads: config.DECODE_THREADS,
      limits,
    });
  try {
    return await diagnose(
      {
        link,
        clip: createClipProbe({ pool, headBytes: FIRST_BYTES, maxBytes: config.MAX_VIDEO_MB * 1e6, limits }),
        decoders: [decoderProbe('libav'), decoderProbe('ffmpeg')],
        async openModels(signal) {
          const models = await openModelSet(modelOptions);
          if (signal.aborted) await models.close();
          return models;
        },
      },
      {
        ...options,
        target: shown(target),
        settings: settingsOf(config, { widths, cores: facts.cores }),
        machine: facts,
      },
    );
  } finally {
    await pool.close();
  }
}
