import { map } from 'rxjs';
import type { ModelSet } from '../../../models/index.js';
import type { ClipFacts, Eye, Question, Understanding } from '../../challenge/index.js';
import type { Answer, Finding } from './answer.js';
import type { AnswerEncoder } from './encode-answer.js';
import { createScene } from './scene.js';
import { describeFinding } from './signature.js';

export interface FootballOptions {
  /** The networks: boxes of ball, goalkeepers, players and referees, and the 32 key points of the pitch. */
  readonly runner: ModelSet;
  /** Keeps the wire form of the answer up to date behind the findings. */
  readonly encoder: AnswerEncoder;
  /** False: every look stands alone. Default true. */
  readonly tracking?: boolean;
  /** Key points are left out. Default false. */
  readonly skipPitch?: boolean;
}

/** Where is everybody, and where is the pitch, in every frame of a clip of a football match? */
export function footballQuestion({
  runner,
  encoder,
  tracking = true,
  skipPitch = false,
}: FootballOptions): Question<Finding, Answer> {
  return {
    eye: footballEye(runner),
    begin: (clip) => {
      const { width, height } = clip;
      const scene = createScene({ ...clip.frames, width, height, tracking, skipPitch, thresholds: runner.thresholds });
      return understandingOf(scene, encoder, clip);
    },
  };
}

/** The networks, and the colours of shirts once their boxes are known: both must be done with the pixels. */
function footballEye(runner: ModelSet): Eye<Finding> {
  const { input } = runner;
  const nothing = { detections: [], keyPoints: [] };
  return {
    input,
    get maxBatch() {
      return runner.maxBatch;
    },
    get device() {
      return runner.device;
    },
    predictMs: (batchSize) => runner.predictMs(batchSize),
    look: (frames, onReturn) =>
      runner
        .run(frames, onReturn)
        .pipe(map((found) => frames.map((frame, i) => describeFinding({ ...frame, ...input }, found[i] ?? nothing)))),
  };
}

/** One slice of work on the scene: the event loop is never held longer by it, ms. */
const SLICE_MS = 6;

/** The scene with the wire form kept up to date behind it, both in slices. */
function understandingOf(
  scene: ReturnType<typeof createScene>,
  encoder: AnswerEncoder,
  clip: ClipFacts,
): Understanding<Finding, Answer> {
  let stale = false;
  let encoding: Answer | undefined;
  let known = clip.frameCount;
  return {
    add(findings) {
      scene.add(findings);
      stale = true;
    },
    snapshot(withinMs) {
      // The length of a stream is known at its end only.
      if (clip.frameCount !== known) scene.setClip(clip.frames);
      known = clip.frameCount;
      const untilMs = performance.now() + withinMs;
      return scene.snapshot(() => performance.now() >= untilMs);
    },
    refresh() {
      const untilMs = performance.now() + SLICE_MS;
      const isPaused = () => performance.now() >= untilMs;
      if (!scene.refresh(isPaused)) return false;
      if (stale) encoding = scene.snapshot();
      stale = false;
      if (encoding && !encoder.update(encoding, isPaused)) return false;
      encoding = undefined;
      return true;
    },
  };
}
