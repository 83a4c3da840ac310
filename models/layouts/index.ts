import type { PictureFinding } from '../contract.js';
import type { SourceSize } from '../picture-space.js';
import { detr } from './detr.js';
import type { DecodeSpec, Outputs } from './layout.js';

export { ballId, classIds, classNames, keyPointCount } from './candidates.js';

import { tikitaka } from './tikitaka.js';
import { yoloDetect, yoloNmsFree, yoloPose } from './yolo.js';

export type { DecodeSpec, Outputs, OutputTensor } from './layout.js';

/** Outputs of one run → one finding per picture, in pixels of each original picture. Errors: ERR_MODEL_SHAPE, thrown at call. */
export function decodeOutputs(outputs: Outputs, spec: DecodeSpec, sources: readonly SourceSize[]): PictureFinding[] {
  const { output } = spec;
  switch (output.layout) {
    case 'tikitaka':
      return tikitaka(outputs, { ...spec, output }, sources);
    case 'yolo-detect':
      return yoloDetect(outputs, { ...spec, output }, sources);
    case 'yolo-pose':
      return yoloPose(outputs, { ...spec, output }, sources);
    case 'yolo-nms-free':
      return yoloNmsFree(outputs, { ...spec, output }, sources);
    case 'detr':
      return detr(outputs, { ...spec, output }, sources);
  }
}
