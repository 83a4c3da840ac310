import type { ClassThresholds } from '../../../models/index.js';
import { OptionError } from '../../../operators/index.js';
import type { ClipFrames, Provenance } from '../../challenge/index.js';
import type { Answer, AnswerFrame, Finding } from './answer.js';
import { PictureSpace } from './camera.js';
import { type CutHints, cutFrame, cutOdds, Keyframes } from './cuts.js';
import { Memo } from './memo.js';
import { FramePacker } from './packed-frame.js';
import { createSample, type Sample, type SampleOptions } from './sample.js';
import { ShotFiller } from './shot.js';

export interface SceneOptions extends ClipFrames {
  /** Size of the original picture in pixels. */
  readonly width: number;
  readonly height: number;
  /** False: every sample stands alone, the frames between hold the nearest one. Default true. */
  readonly tracking?: boolean;
  /** True: no key points in the answer, tracks in picture coordinates. Default false. */
  readonly skipPitch?: boolean;
  /** Nobody is shown without a box above the threshold of its class; weaker ones confirm his track. The model knows its own (`ModelSet.thresholds`). 0..1, 1 = nothing; default 0.4 each (chosen). */
  readonly thresholds?: ClassThresholds;
  /**
   * Persons of a frame that are looked at, best scores first: what tracking costs grows with their square, and noise looks like
   * hundreds of them. Integer, 1..120, default 60: both teams, the officials and as many again beside the pitch.
   */
  readonly maxPersons?: number;
}

/**
 * The clip as far as it is understood: findings in, whole-clip answers out. The answer depends on the set of findings alone,
 * not on their order or grouping. A new finding costs its neighbourhood; the rest is kept.
 */
export interface Scene {
  /** Samples added so far. */
  readonly sampleCount: number;
  /** Takes findings in any order; a second finding for a frame replaces the first. Cheap: the work is done by `refresh` or `snapshot`. */
  add(findings: readonly Finding[]): void;
  /** Completes or corrects what is known of the clip. */
  setClip(clip: ClipFrames): void;
  /**
   * Works off what `add` left until `isPaused` says so (asked after every millisecond of work or less, whatever was found); true =
   * nothing is left to do. What was begun is finished before newer findings are looked at: however fast they come, answers do too.
   */
  refresh(isPaused: () => boolean): boolean;
  /**
   * Whole-clip answer from all findings. Where `isPaused` ends the work on it: the last one that was complete, else one from a
   * single finding. Frames that did not change since the last snapshot are the same objects.
   */
  snapshot(isPaused?: () => boolean): Answer;
}

const USUAL_THRESHOLDS: ClassThresholds = { ball: 0.4, goalkeeper: 0.4, player: 0.4, referee: 0.4 };

/** Opens an empty scene; see `Scene`. Errors: ERR_OPTION. */
export function createScene(options: SceneOptions): Scene {
  return new FootballScene(options);
}

/** Ids leave room for this many persons of one frame. */
const MOST_PERSONS = 120;

class FootballScene implements Scene {
  private readonly looks: SampleOptions;
  /** Not looked at yet, by frame number. */
  private readonly findings = new Map<number, Finding>();
  /** The one that came first: enough for an answer in a hurry. */
  private first: Finding | undefined;
  private clip: ClipFrames;
  private timeOf: (frame: number) => number;
  private readonly samples = new Map<number, Sample>();
  private readonly cuts = new Memo<number>();
  private readonly filler: ShotFiller;
  private isOutdated = true;
  /** Work in progress; undefined = none. */
  private work: Generator<undefined, Answer> | undefined;
  /** The last answer that was complete, maybe without the newest findings. */
  private latest: Answer | undefined;
  /** Frames of a clip of which nothing is known yet. */
  private readonly unseen: AnswerFrame[] = [];

  constructor(private readonly options: SceneOptions) {
    const { width, height, tracking = true, skipPitch = false } = options;
    const { thresholds = USUAL_THRESHOLDS, maxPersons = 60 } = options;
    if (!Number.isInteger(maxPersons) || maxPersons < 1 || maxPersons > MOST_PERSONS) {
      throw new OptionError(`maxPersons must be an integer from 1 to ${MOST_PERSONS}, not ${maxPersons}`);
    }
    const space = new PictureSpace(width, height);
    this.clip = options;
    this.timeOf = timesOf(options);
    this.looks = { space, thresholds, skipPitch, maxPersons };
    this.filler = new ShotFiller({ space, tracking, thresholds });
  }

  get sampleCount(): number {
    return new Set([...this.findings.keys(), ...this.samples.keys()]).size;
  }

  add(findings: readonly Finding[]): void {
    this.first ??= findings[0];
    for (const finding of findings) this.findings.set(finding.index, finding);
    this.isOutdated = true;
  }

  setClip(clip: ClipFrames): void {
    const changed = Object.entries(clip).some(([name, value]) => this.clip[name as keyof ClipFrames] !== value);
    if (!changed) return;
    const { framePtsUs, fps } = this.clip;
    this.clip = { ...this.clip, ...clip };
    if (this.clip.framePtsUs !== framePtsUs || this.clip.fps !== fps) this.timeOf = timesOf(this.clip);
    this.isOutdated = true;
    this.work = undefined;
  }

  refresh(isPaused: () => boolean): boolean {
    while (this.work || this.isOutdated) {
      if (!this.work) {
        this.work = this.understand();
        this.isOutdated = false;
      }
      const { done, value } = this.work.next();
      if (done) {
        this.work = undefined;
        this.latest = value;
      } else if (isPaused()) return false;
    }
    return true;
  }

  snapshot(isPaused: () => boolean = () => false): Answer {
    this.refresh(isPaused);
    return this.latest ?? this.draft();
  }

  /** An answer from the first finding alone, at a price that does not grow with what was found. */
  private draft(): Answer {
    let last = -1;
    for (const found of [this.findings, this.samples]) for (const index of found.keys()) last = Math.max(last, index);
    const scene = new FootballScene({ ...this.options, ...this.clip, frameCount: this.clip.frameCount ?? last + 1 });
    if (this.first) scene.add([this.first]);
    return scene.snapshot();
  }

  private *understand(): Generator<undefined, Answer> {
    const { clip, timeOf, looks } = this;
    const { space } = looks;
    const { width, height } = this.options;
    const keyframes = clip.keyframes ?? NONE;
    const hints: CutHints = { keyframes: new Keyframes(keyframes), frameBytes: clip.frameBytes ?? NONE };
    // Those of now: more may come in the pauses.
    for (const [index, finding] of [...this.findings]) {
      this.samples.set(index, createSample(finding, timeOf(index), looks));
      if (this.findings.get(index) === finding) this.findings.delete(index);
      yield;
    }
    const samples = yield* this.samplesBefore(clip.frameCount ?? Number.POSITIVE_INFINITY);
    const frameCount = clip.frameCount ?? (samples.at(-1)?.index ?? -1) + 1;
    const frames: AnswerFrame[] = [];
    let shot: Sample[] = [];
    let first = 0;
    for (const [k, sample] of samples.entries()) {
      shot.push(sample);
      const next = samples[k + 1];
      if (next) {
        const odds = this.cuts.get(pairKey(sample, next), [sample, next, keyframes], () =>
          cutOdds({ a: sample, b: next, space, hints }),
        );
        yield;
        if (odds <= 0) continue;
      }
      const end = next ? cutFrame(sample.index, next.index, hints) : frameCount;
      for (const frame of yield* this.filler.fill({ samples: shot, first, end, timeOf })) frames.push(frame);
      shot = [];
      first = end;
    }
    for (let index = frames.length; index < frameCount; index++) {
      this.unseen[index] ??= NOTHING.at(index);
      frames.push(this.unseen[index]);
    }
    this.cuts.sweep();
    this.filler.sweep();
    const counts: Record<Provenance, number> = { measured: 0, tracked: 0, interpolated: 0, held: 0 };
    for (const { source } of frames) counts[source]++;
    return { width, height, frames, counts };
  }

  /** The samples below a frame number in ascending order, at the times that are known now. */
  private *samplesBefore(end: number): Generator<undefined, readonly Sample[]> {
    const { timeOf } = this;
    const samples: Sample[] = [];
    for (const index of Float64Array.from(this.samples.keys()).sort()) {
      const known = this.samples.get(index);
      if (!known || index >= end) continue;
      const timeS = timeOf(index);
      const sample = timeS === known.timeS ? known : { ...known, timeS };
      if (sample !== known) this.samples.set(index, sample);
      samples.push(sample);
      yield;
    }
    return samples;
  }
}

const NONE: readonly number[] = [];
const NOTHING = new FramePacker().take(0, 'held');

/** Time of a frame in s. */
function timesOf({ framePtsUs, fps = 25 }: ClipFrames): (frame: number) => number {
  return (frame) => (framePtsUs?.[frame] ?? (frame * 1e6) / fps) / 1e6;
}

function pairKey(a: Sample, b: Sample): number {
  return a.index * 2 ** 21 + b.index;
}
