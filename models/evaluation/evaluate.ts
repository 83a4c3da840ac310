import { lastValueFrom } from 'rxjs';
import type {
  ClassId,
  ClassName,
  Detection,
  ModelInput,
  ModelPicture,
  ModelRunner,
  PictureFinding,
} from '../contract.js';
import { atMost, type ModelDescription } from '../description.js';
import { ballId, classIds } from '../layouts/index.js';
import {
  averagePrecision,
  type MatchedImage,
  matchBoxes,
  type PrecisionFigures,
  type ScoredBox,
} from './average-precision.js';
import { bootstrap, type Interval } from './bootstrap.js';
import type { LabelledImage, TruthBox } from './dataset.js';
import { countKeyPoints, type FitPitch, type KeyPointFigures, keyPointFigures } from './key-points.js';

export interface Evaluation {
  readonly images: { readonly objects: number; readonly pitch: number };
  readonly classes: Readonly<Record<ClassName, PrecisionFigures>>;
  /** Persons of any role as one class. */
  readonly person: PrecisionFigures;
  readonly mAP50: number;
  readonly keyPoints: readonly KeyPointFigures[];
  /** 90 % bootstrap over images; key points at the last threshold. */
  readonly intervals: {
    readonly objects: Readonly<Record<ClassName | 'person' | 'mAP50', Interval>>;
    readonly pitch: Readonly<Record<'pck1' | 'pck2' | 'falsePositives', Interval>>;
  };
}

export interface EvaluationOptions {
  readonly runner: Pick<ModelRunner, 'run' | 'input' | 'maxBatch'>;
  readonly images: readonly LabelledImage[];
  readonly readPicture: (file: string, input: ModelInput) => Promise<ModelPicture>;
  readonly fitPitch: FitPitch;
  /** Key-point thresholds, e.g. [0.25, 0.35]. */
  readonly keyPointThresholds: readonly number[];
  readonly onProgress?: (done: number, of: number) => void;
}

/** Candidates below it are left out of the precision–recall curve, as in the reference evaluation (evalm.py, TH). */
const candidateThreshold = 0.03;

/** The same model with thresholds so low that the whole precision–recall curve comes out. */
export function forEvaluation(description: ModelDescription): ModelDescription {
  return {
    ...description,
    thresholds: { ...atMost(description.thresholds, candidateThreshold), keyPoint: candidateThreshold },
    maxDetections: Math.max(description.maxDetections, 300),
  };
}

/** Runs a model over labelled images and compares. Errors: those of the runner and of `readPicture`. */
export async function evaluate(options: EvaluationOptions): Promise<Evaluation> {
  const { runner, images, fitPitch, keyPointThresholds } = options;
  const scored: ScoredImage[] = [];
  for (let at = 0; at < images.length; at += runner.maxBatch) {
    const batch = images.slice(at, at + runner.maxBatch);
    const pictures = await Promise.all(batch.map(({ file }) => options.readPicture(file, runner.input)));
    const findings = await lastValueFrom(runner.run(pictures, () => undefined));
    batch.forEach((labels, i) => {
      const [picture, finding] = [pictures[i], findings[i]];
      if (picture && finding) scored.push({ labels, picture, finding });
    });
    options.onProgress?.(scored.length, images.length);
  }
  const objects = scored.flatMap((image) => matchObjects(image));
  const pitch = scored.flatMap(({ labels, picture, finding }) => {
    if (!labels.keyPoints) return [];
    const found = { found: finding.keyPoints, truth: labels.keyPoints };
    const size = { widthPx: picture.sourceWidth, heightPx: picture.sourceHeight };
    return [keyPointThresholds.map((threshold) => countKeyPoints({ ...found, ...size }, threshold, fitPitch))];
  });
  const at = (i: number) => pitch.flatMap((counts) => counts[i] ?? []);
  const last = at(keyPointThresholds.length - 1);
  return {
    images: { objects: objects.length, pitch: pitch.length },
    ...objectFigures(objects),
    keyPoints: keyPointThresholds.map((threshold, i) => keyPointFigures(threshold, at(i))),
    intervals: {
      objects: bootstrap(objects.length, (drawn) => {
        const { classes, person, mAP50 } = objectFigures(drawn.flatMap((i) => objects[i] ?? []));
        return {
          ball: classes.ball.ap,
          goalkeeper: classes.goalkeeper.ap,
          player: classes.player.ap,
          referee: classes.referee.ap,
          person: person.ap,
          mAP50,
        };
      }),
      pitch: bootstrap(last.length, (drawn) => {
        const { pck1, pck2, falsePositives } = keyPointFigures(
          0,
          drawn.flatMap((i) => last[i] ?? []),
        );
        return { pck1, pck2, falsePositives };
      }),
    },
  };
}

interface ScoredImage {
  readonly labels: LabelledImage;
  readonly picture: ModelPicture;
  readonly finding: PictureFinding;
}

type MatchedObjects = Readonly<Record<ClassName | 'person', MatchedImage>>;

function matchObjects({ labels, picture, finding }: ScoredImage): MatchedObjects[] {
  const { objects } = labels;
  if (!objects) return [];
  const truths = (wanted: (classId: ClassId) => boolean) =>
    objects.filter(({ classId }) => wanted(classId)).map((truth) => ({ box: toPixels(truth, picture) }));
  const ofClass = (name: ClassName) =>
    matchBoxes(
      finding.detections.flatMap((detection) => entryOf(detection, classIds[name])),
      truths((classId) => classId === classIds[name]),
    );
  return [
    {
      ball: ofClass('ball'),
      goalkeeper: ofClass('goalkeeper'),
      player: ofClass('player'),
      referee: ofClass('referee'),
      person: matchBoxes(
        finding.detections
          .filter(({ classId }) => classId !== ballId)
          .map((person) => ({ box: person.boxXyxyPx, score: personScore(person) })),
        truths((classId) => classId !== ballId),
      ),
    },
  ];
}

/** A person with role probabilities is a candidate for each role, as in the reference evaluation. */
function entryOf(detection: Detection, classId: ClassId): ScoredBox[] {
  const { roleScores, boxXyxyPx } = detection;
  if (detection.classId === classId) return [{ box: boxXyxyPx, score: detection.score }];
  if (!roleScores || detection.classId === ballId || classId === ballId) return [];
  return [{ box: boxXyxyPx, score: personScore(detection) * (roleScores[classId - 1] ?? 0) }];
}

/** P(person): the score of the best role divided by that role's share. */
function personScore({ classId, score, roleScores }: Detection): number {
  const share = roleScores?.[classId - 1];
  return share ? score / share : score;
}

function toPixels({ boxCxcywhNorm: [cx, cy, w, h] }: TruthBox, size: ModelPicture): [number, number, number, number] {
  const { sourceWidth, sourceHeight } = size;
  return [
    (cx - w / 2) * sourceWidth,
    (cy - h / 2) * sourceHeight,
    (cx + w / 2) * sourceWidth,
    (cy + h / 2) * sourceHeight,
  ];
}

function objectFigures(images: readonly MatchedObjects[]): Pick<Evaluation, 'classes' | 'person' | 'mAP50'> {
  const figures = (name: keyof MatchedObjects) => averagePrecision(images.map((image) => image[name]));
  const classes = {
    ball: figures('ball'),
    goalkeeper: figures('goalkeeper'),
    player: figures('player'),
    referee: figures('referee'),
  };
  const mAP50 = Object.values(classes).reduce((sum, { ap }) => sum + ap, 0) / 4;
  return { classes, person: figures('person'), mAP50 };
}
