import { type ClassThresholds, classNames } from '../../../models/index.js';
import type { AnswerFrame, Finding } from './answer.js';
import { LEAST_RAW_SCORE } from './key-points.js';

const NO_POINT = [0, 0] as const;
const POINTS = 32;

/**
 * One frame as the models have just seen it, before anything is known of the frames around it: ids count within the frame and are
 * not those of the answer.
 */
export function previewFrame(finding: Finding, thresholds: ClassThresholds): AnswerFrame {
  const { index, detections, keyPoints } = finding;
  return {
    index,
    source: 'measured',
    keyPoints: Array.from({ length: POINTS }, (_, k) => {
      const point = keyPoints[k];
      return point && point.score >= LEAST_RAW_SCORE ? ([point.xPx, point.yPx] as const) : NO_POINT;
    }),
    objects: detections
      .filter(({ classId, score }) => score >= thresholds[classNames[classId]])
      .map(({ classId, boxXyxyPx, score }, i) => ({
        id: i + 1,
        classId,
        boxXyxyPx,
        source: 'measured' as const,
        score,
      })),
  };
}
