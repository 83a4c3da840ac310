import { letterboxGrey, type ModelInput } from '../../models/index.js';

const flags = {
  point: 'neighbor',
  'fast-bilinear': 'fast_bilinear',
  bilinear: 'bilinear',
  bicubic: 'bicubic',
  area: 'area',
} as const;

/** ffmpeg's filters that do what `FrameScaler` does in-process: same filter, same matrix, and `pictureRect` as expressions. */
export function scaleFilters(input: ModelInput): string[] {
  const { width, height } = input;
  const how = `flags=${flags[input.filter]}+full_chroma_int:in_color_matrix=bt601`;
  if (input.fit === 'stretch') return [`scale=w=${width}:h=${height}:${how}`, 'format=rgb24'];
  const ratio = `min(${width}/iw\\,${height}/ih)`;
  const side = (full: number, size: string) => `'max(1\\,min(${full}\\,round(${size}*${ratio})))'`;
  const edge = (full: number, size: string) => `'max(0\\,round((${full}-${size})/2-0.1))'`;
  const grey = letterboxGrey.toString(16).repeat(3);
  return [
    `scale=w=${side(width, 'iw')}:h=${side(height, 'ih')}:${how}`,
    'format=rgb24',
    `pad=w=${width}:h=${height}:x=${edge(width, 'iw')}:y=${edge(height, 'ih')}:color=0x${grey}`,
  ];
}
