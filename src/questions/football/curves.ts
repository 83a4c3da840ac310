import { classNames } from '../../../models/index.js';
import type { BallCandidates } from './ball.js';
import { ballPath } from './ball.js';
import { CREDIT_WINDOW_S, type CreditOptions, creditOf } from './credit.js';
import { PITCH_LENGTH_M, PITCH_WIDTH_M } from './pitch.js';
import { assignRoles, likeliestRole, meanPlace, type TrackRole } from './roles.js';
import { surroundingsOf } from './surroundings.js';
import { type Curve, type Knot, knotOf, setSpeeds } from './track-curve.js';
import type { Station } from './tracklets.js';
import { ID_STRIDE, type Track, type TrackOptions } from './tracks.js';

/** How far beyond the lines somebody may stand on average and still belong to the match, m: assistants run beside the line, benches lie behind. */
const OUTSIDE_M = 2.5;
const OUTSIDE_REFEREE_M = 4;
/** Feet of the goal posts and corner flags, metres. */
const POLES_M = [0, PITCH_LENGTH_M].flatMap((x) =>
  [0, PITCH_WIDTH_M, PITCH_WIDTH_M / 2 - 3.66, PITCH_WIDTH_M / 2 + 3.66].map((y) => [x, y] as const),
);
const POLE_REACH_M = 1.2;
/** Mean score from which somebody really stands there. Chosen: a defender on the line scores above, a post rarely. */
const POLE_SCORE = 0.6;
/** A person missed by samples between is shown through up to this long, s; the ball through less: it is kicked meanwhile. Measured on rendered clips. */
const LONGEST_FILL_S = 1.5;
const LONGEST_BALL_FILL_S = 1.05;
/** The ball's place in its id: one that no person ever has. */
const BALL_PLACE = ID_STRIDE - 1;

/** Share of the threshold that the samples around must grant for somebody to be shown. Measured on match-a and rendered clips. */
const LEAST_CREDIT = 0.55;

/** Turns tracks into what the answer shows: those with a sure sight that enough samples confirm, each with one class, and the one ball; a generator, so that the caller may pause. */
export function* curvesOf(
  shot: readonly Station[],
  tracks: readonly Track[],
  options: TrackOptions,
): Generator<undefined, readonly Curve[]> {
  const credible: Track[] = [];
  for (const track of tracks) {
    if (isSure(shot, track) && !isPole(shot, track)) credible.push(track);
    yield;
  }
  const around = surroundingsOf(shot, CREDIT_WINDOW_S);
  const curves: Curve[] = [];
  for (const role of yield* assignRoles(shot, credible)) {
    if (!isOnPitch(shot, role)) continue;
    const { track, classId } = role;
    const knots = personKnots({ ...options, shot, track, classId, around });
    // The sure sight itself may be the lucky one that its surroundings do not grant.
    if (!knots.some(({ source }) => source === 'measured')) continue;
    setSpeeds(knots, classId);
    curves.push({ id: track.id, classId, knots });
    yield;
  }
  const ball = yield* ballCurve(shot, options);
  return ball ? [...curves, ball] : curves;
}

/** Every body for itself, as `DISABLE_TRACKING` wants it: one class, one sample, an id of its own. */
export function* looseCurves(
  shot: readonly Station[],
  { space }: TrackOptions,
): Generator<undefined, readonly Curve[]> {
  const curves: Curve[] = [];
  for (const [sample, { index, timeS, revision, bodies, places, balls }] of shot.entries()) {
    const at = { sample, timeS, revision, source: 'measured', bridged: false } as const;
    for (let body = 0; body < bodies.count; body++) {
      if (bodies.sure[body] === 0) continue;
      const knot = knotOf({ ...at, bodies, places, body }, space);
      curves.push({ id: index * ID_STRIDE + body, classId: likeliestRole(bodies, body), knots: [knot] });
    }
    if (balls.bodies.sure[0] === 1) {
      const knot = knotOf({ ...at, ...balls, body: 0 }, space);
      curves.push({ id: index * ID_STRIDE + BALL_PLACE, classId: 0, knots: [knot] });
    }
    yield;
  }
  return curves;
}

interface Shown extends CreditOptions, TrackOptions, Pick<TrackRole, 'classId'> {}

/** The sights of a track that are shown, and between which of them it is shown on. */
function personKnots({ shot, track, classId, around, thresholds, space }: Shown): Knot[] {
  const least = LEAST_CREDIT * thresholds[classNames[classId]];
  const credit = creditOf({ shot, track, around, space });
  const first = track.samples[0];
  const shown = [...track.samples.keys()].filter((n) => credit[track.samples[n] - first] >= least);
  return shown.map((n, place) => {
    const sample = track.samples[n];
    const { timeS, revision, bodies, places } = shot[sample];
    const body = track.bodies[n];
    const source = bodies.sure[body] === 1 ? 'measured' : 'tracked';
    const next = track.samples[shown[place + 1]];
    let bridged = next !== undefined && (next === sample + 1 || shot[next].timeS - timeS <= LONGEST_FILL_S);
    for (let k = sample + 1; bridged && k < next; k++) bridged = credit[k - first] >= least;
    return knotOf({ sample, timeS, revision, bodies, places, body, source, bridged }, space);
  });
}

function scoresOf(shot: readonly Station[], { samples, bodies }: Track): number[] {
  return samples.map((k, n) => shot[k].bodies.score[bodies[n]]);
}

function isSure(shot: readonly Station[], { samples, bodies }: Track): boolean {
  return samples.some((k, n) => shot[k].bodies.sure[bodies[n]] === 1);
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

/** Goal posts and corner flags, which detectors take for distant persons: faint, and always on the same spot. */
function isPole(shot: readonly Station[], track: Track): boolean {
  if (!shot[track.samples[0]].camera.onPitch) return false;
  const { x, y } = meanPlace(shot, track);
  if (!POLES_M.some(([px, py]) => Math.hypot(x - px, y - py) < POLE_REACH_M)) return false;
  const scores = scoresOf(shot, track);
  const stands = track.samples.every((k, n) => {
    const { places } = shot[k];
    return Math.hypot(places.x[track.bodies[n]] - x, places.y[track.bodies[n]] - y) < 2 * POLE_REACH_M;
  });
  return stands && mean(scores) < POLE_SCORE;
}

function isOnPitch(shot: readonly Station[], { track, classId }: TrackRole): boolean {
  if (!shot[track.samples[0]].camera.onPitch) return true;
  const { x, y } = meanPlace(shot, track);
  const margin = classId === 3 ? OUTSIDE_REFEREE_M : OUTSIDE_M;
  return x > -margin && x < PITCH_LENGTH_M + margin && y > -margin && y < PITCH_WIDTH_M + margin;
}

function* ballCurve(
  shot: readonly Station[],
  { space, thresholds }: TrackOptions,
): Generator<undefined, Curve | undefined> {
  const candidates = shot.map((station): BallCandidates => station.balls);
  const path = yield* ballPath(candidates, thresholds.ball);
  const seen = [...path.keys()].filter((k) => path[k] >= 0);
  const knots = seen.map((sample, n) => {
    const { timeS, revision, balls } = shot[sample];
    const next = seen[n + 1];
    const bridged = next !== undefined && shot[next].timeS - timeS <= LONGEST_BALL_FILL_S;
    return knotOf({ ...balls, sample, timeS, revision, body: path[sample], source: 'measured', bridged }, space);
  });
  setSpeeds(knots, 0);
  return knots.length > 0 ? { id: shot[0].index * ID_STRIDE + BALL_PLACE, classId: 0, knots } : undefined;
}
