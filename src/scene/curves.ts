import type { BallCandidates } from './ball.js';
import { ballPath } from './ball.js';
import type { PictureSpace } from './camera.js';
import { PITCH_LENGTH_M, PITCH_WIDTH_M } from './pitch.js';
import { assignRoles, meanPlace, type TrackRole } from './roles.js';
import { type Curve, type Knot, knotOf, setSpeeds } from './track-curve.js';
import type { Station } from './tracklets.js';
import type { Track } from './tracks.js';

export interface CurveOptions {
  /** See `SceneOptions.confThreshold`. */
  readonly confThreshold: number;
  readonly space: PictureSpace;
}

/** How far beyond the lines somebody may stand on average and still belong to the match, m: assistants run beside the line, benches lie behind. */
const OUTSIDE_M = 2.5;
const OUTSIDE_REFEREE_M = 4;
/** The ball's id: persons' ids are 64 · frame + place, this is the one they never have (63 is beyond the persons of a sample). */
const BALL_PLACE = 63;

/** Turns tracks into what the answer shows: those that enough samples confirm, each with one class, and the one ball. */
export function curvesOf(shot: readonly Station[], tracks: readonly Track[], options: CurveOptions): readonly Curve[] {
  const credible = tracks.filter((track) => isCredible(shot, track, options.confThreshold));
  const persons = assignRoles(shot, credible)
    .filter((role) => isOnPitch(shot, role))
    .map(({ track, classId }): Curve => {
      const knots = track.samples.map((sample, n) => {
        const station = shot[sample];
        const body = track.bodies[n];
        const source = station.bodies.score[body] >= options.confThreshold ? 'measured' : 'tracked';
        return knotOf(
          { ...pick(station), sample, body, bodies: station.bodies, places: station.places, source },
          options.space,
        );
      });
      setSpeeds(knots, classId);
      return { id: track.id, classId, knots };
    });
  const ball = ballCurve(shot, options);
  return ball ? [...persons, ball] : persons;
}

function pick(station: Station): { readonly timeS: number; readonly revision: number } {
  return { timeS: station.timeS, revision: station.revision };
}

/** A track stands when its samples agree that somebody is there: one weak box among many samples is noise. */
function isCredible(shot: readonly Station[], track: Track, confThreshold: number): boolean {
  const scores = track.samples.map((k, n) => shot[k].bodies.score[track.bodies[n]]);
  const most = Math.max(...scores);
  if (most < confThreshold) return false;
  const sum = scores.reduce((a, b) => a + b, 0);
  return sum / scores.length >= confThreshold * 0.6;
}

function isOnPitch(shot: readonly Station[], { track, classId }: TrackRole): boolean {
  if (!shot[track.samples[0]].camera.onPitch) return true;
  const { x, y } = meanPlace(shot, track);
  const margin = classId === 3 ? OUTSIDE_REFEREE_M : OUTSIDE_M;
  return x > -margin && x < PITCH_LENGTH_M + margin && y > -margin && y < PITCH_WIDTH_M + margin;
}

function ballCurve(shot: readonly Station[], { space }: CurveOptions): Curve | undefined {
  const path = ballPath(shot.map((station): BallCandidates => station.balls));
  const knots: Knot[] = [];
  path.forEach((body, sample) => {
    if (body < 0) return;
    const station = shot[sample];
    const { bodies, places } = station.balls;
    knots.push(knotOf({ ...pick(station), sample, body, bodies, places, source: 'measured' }, space));
  });
  setSpeeds(knots, 0);
  return knots.length > 0 ? { id: shot[0].index * 64 + BALL_PLACE, classId: 0, knots } : undefined;
}
