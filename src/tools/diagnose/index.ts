export { type DiagnoseOptions, type DiagnosePorts, diagnose } from './diagnose.js';
export { type ClipProbe, createClipProbe } from './probe-clip.js';
export { createDecoderProbe, type DecoderProbe } from './probe-decoder.js';
export { createLinkProbe, type LinkProbe } from './probe-link.js';
export { reportOf } from './report.js';
export { type Diagnosis, diagnosisJsonSchema, diagnosisSchema, type Stage } from './schema.js';
export { type Settings, settingsOf } from './settings.js';
export { concludeFrom } from './verdict.js';
