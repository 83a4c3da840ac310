import { PITCH_LENGTH_M, PITCH_WIDTH_M } from '../../questions/football/index.js';
import { advance, BALL_RADIUS_M, type Ball, type BallPlace, GRAVITY_MS2 } from './ball.js';
import { type Runner, STEP_S, type Stance, steer } from './locomotion.js';
import { castMatch, forSide, type Person, stationOf } from './match-cast.js';
import { createRandom, type Random } from './random.js';

/** A football match as moving points: formations that breathe, dribbles, passes with flight, tackles, shots that are held. */
export class MatchSimulation {
  readonly people: readonly Person[];
  readonly runners: readonly Runner[];
  private readonly random: Random;
  ball: Ball = { x: PITCH_LENGTH_M / 2, y: PITCH_WIDTH_M / 2, z: BALL_RADIUS_M, vx: 0, vy: 0, vz: 0 };
  private holder: Runner | undefined;
  private receiver: Runner | undefined;
  private aim: readonly [number, number] = [0, 0];
  private kicker: Runner | undefined;
  private sinceKickS = 0;
  private holdS = 0;
  private holdForS = 1;
  private possession: 0 | 1 = 0;
  private readonly beaten = new Set<Runner>();

  constructor(seed: number) {
    this.random = createRandom(seed, 1);
    this.people = castMatch(this.random);
    this.ball.x = this.random.between(30, 75);
    this.ball.y = this.random.between(18, 50);
    this.possession = this.random.next() < 0.5 ? 0 : 1;
    this.runners = this.people.map((person) => {
      const [x, y] = stationOf(person, this.ball.x, this.ball.y, person.side === this.possession);
      const drift = person.part === 'outfield' ? 4 : 0.4;
      return {
        person,
        x: x + this.random.gaussian() * drift,
        y: person.part === 'assistant' ? y : y + this.random.gaussian() * drift,
        vx: 0,
        vy: 0,
        heading: this.random.between(-Math.PI, Math.PI),
        stride: this.random.between(0, 6),
        driftX: this.random.gaussian() * drift,
        driftY: this.random.gaussian() * drift,
        sprintS: 0,
      };
    });
    const first = this.nearest(this.outfield(this.possession));
    if (first) {
      first.x = this.ball.x - 0.5;
      first.y = this.ball.y;
      this.receive(first);
    }
    // The clip begins in the middle of play, not from standing.
    for (let t = 0; t < 3; t += STEP_S) this.step();
  }

  stances(): readonly Stance[] {
    return this.runners.map((r) => ({
      xM: r.x,
      yM: r.y,
      headingRad: r.heading,
      speedMs: Math.hypot(r.vx, r.vy),
      strideRad: r.stride,
    }));
  }

  ballPlace(): BallPlace {
    return { xM: this.ball.x, yM: this.ball.y, zM: this.ball.z };
  }

  /** Advances the match by `STEP_S`. */
  step(): void {
    this.sinceKickS += STEP_S;
    if (this.holder) this.play(this.holder);
    else this.roll();
    const chasers = this.chasers();
    for (const runner of this.runners) this.move(runner, chasers);
  }

  private outfield(side: 0 | 1): readonly Runner[] {
    return this.runners.filter((r) => r.person.side === side && r.person.part === 'outfield');
  }

  private nearest(runners: readonly Runner[], x = this.ball.x, y = this.ball.y): Runner | undefined {
    let best: Runner | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const r of runners) {
      const distance = Math.hypot(r.x - x, r.y - y);
      if (distance < least) [best, least] = [r, distance];
    }
    return best;
  }

  private receive(runner: Runner): void {
    this.holder = runner;
    this.receiver = undefined;
    this.possession = runner.person.side === 1 ? 1 : 0;
    this.holdS = 0;
    this.holdForS = runner.person.part === 'keeper' ? this.random.between(1.5, 2.5) : this.random.between(0.5, 2.4);
    this.beaten.clear();
  }

  /** One step with the ball at somebody's feet: dribble, be tackled, pass or shoot. */
  private play(holder: Runner): void {
    this.holdS += STEP_S;
    const touch = 0.5 + 0.3 * Math.abs(Math.sin(holder.stride / 2));
    const ease = Math.min(1, STEP_S * 9);
    this.ball.x += (holder.x + Math.cos(holder.heading) * touch - this.ball.x) * ease + holder.vx * STEP_S * (1 - ease);
    this.ball.y += (holder.y + Math.sin(holder.heading) * touch - this.ball.y) * ease + holder.vy * STEP_S * (1 - ease);
    this.ball.z = BALL_RADIUS_M;
    const rival = this.nearest(this.outfield(this.possession === 0 ? 1 : 0), holder.x, holder.y);
    const gap = rival ? Math.hypot(rival.x - holder.x, rival.y - holder.y) : Number.POSITIVE_INFINITY;
    if (rival && gap < 1 && holder.person.part === 'outfield' && this.random.next() < 0.4 * STEP_S) {
      this.receive(rival);
      return;
    }
    const hurry = gap < 2 ? 0.6 : 1;
    if (this.holdS < this.holdForS * hurry) return;
    const goalX = forSide(holder.person.side, PITCH_LENGTH_M);
    const toGoal = Math.hypot(goalX - holder.x, PITCH_WIDTH_M / 2 - holder.y);
    if (toGoal < 19 && this.random.next() < 0.6) this.shoot(holder, goalX);
    else this.pass(holder);
  }

  private shoot(holder: Runner, goalX: number): void {
    const keeper = this.runners.find((r) => r.person.part === 'keeper' && r.person.side !== holder.person.side);
    const aimY = (keeper?.y ?? PITCH_WIDTH_M / 2) + this.random.between(-1, 1);
    this.kick(holder, goalX, aimY, this.random.between(20, 25), this.random.between(1, 3.5), keeper);
  }

  private pass(holder: Runner): void {
    let best: Runner | undefined;
    let bestWorth = Number.NEGATIVE_INFINITY;
    const rivals = this.outfield(this.possession === 0 ? 1 : 0);
    for (const mate of this.outfield(this.possession)) {
      const distance = Math.hypot(mate.x - holder.x, mate.y - holder.y);
      if (mate === holder || distance < 5 || distance > 42) continue;
      const gain = forSide(mate.person.side, mate.x) - forSide(mate.person.side, holder.x);
      const free = Math.min(...rivals.map((r) => Math.hypot(r.x - mate.x, r.y - mate.y)));
      const worth =
        gain * 0.06 + Math.min(free, 8) * 0.3 - Math.abs(distance - 16) * 0.07 + this.random.gaussian() * 1.2;
      if (worth > bestWorth) [best, bestWorth] = [mate, worth];
    }
    if (!best) {
      this.holdForS += 0.5;
      return;
    }
    const distance = Math.hypot(best.x - holder.x, best.y - holder.y);
    const lofted = distance > 26 || (distance > 16 && this.random.next() < 0.25);
    const speed = lofted ? 11 + distance * 0.28 : 8.5 + distance * 0.34;
    const flight = distance / (speed * 0.88);
    const x = Math.min(102, Math.max(3, best.x + best.vx * flight));
    const y = Math.min(66, Math.max(2, best.y + best.vy * flight));
    this.kick(holder, x, y, speed, lofted ? (GRAVITY_MS2 * flight) / 2 : this.random.between(0.1, 0.8), best);
  }

  private kick(from: Runner, x: number, y: number, speed: number, rise: number, receiver: Runner | undefined): void {
    const [dx, dy] = [x - this.ball.x, y - this.ball.y];
    const distance = Math.hypot(dx, dy) || 1;
    this.ball = { ...this.ball, vx: (dx / distance) * speed, vy: (dy / distance) * speed, vz: rise };
    this.aim = [x, y];
    this.kicker = from;
    this.receiver = receiver;
    this.holder = undefined;
    this.sinceKickS = 0;
  }

  /** One step of the free ball, and whoever gets to it. */
  private roll(): void {
    const b = this.ball;
    advance(b);
    for (const r of this.runners) {
      if (r.person.side === 2 || (r === this.kicker && this.sinceKickS < 0.6) || this.beaten.has(r)) continue;
      const reach = r === this.receiver ? 1 : r.person.part === 'keeper' ? 1.6 : 0.7;
      if (Math.hypot(r.x - b.x, r.y - b.y) > reach || b.z > (r.person.part === 'keeper' ? 2.4 : 1.4)) continue;
      const mine = r === this.receiver || r.person.part === 'keeper' || Math.hypot(b.vx, b.vy) < 6;
      if (mine || this.random.next() < 0.3) {
        this.receive(r);
        return;
      }
      this.beaten.add(r); // it went past; no second chance on this pass
    }
  }

  /** Who leaves the formation for the ball: the receiver or the nearest of each side; the holder's two nearest rivals press. */
  private chasers(): ReadonlySet<Runner> {
    const chosen = new Set<Runner>();
    for (const side of [0, 1] as const) {
      const free = this.outfield(side).filter((r) => r !== this.holder);
      const wanted = this.holder ? (side === this.possession ? 0 : 2) : this.receiver?.person.side === side ? 0 : 1;
      for (let i = 0; i < wanted; i++) {
        const next = this.nearest(free.filter((r) => !chosen.has(r)));
        if (next) chosen.add(next);
      }
    }
    return chosen;
  }

  private move(r: Runner, chasers: ReadonlySet<Runner>): void {
    const { person } = r;
    const attacking = person.side === this.possession;
    const drift = person.part === 'outfield' ? 1 : 0.1;
    r.driftX += (-r.driftX * 0.25 + this.random.gaussian() * 9 * drift) * STEP_S;
    r.driftY += (-r.driftY * 0.25 + this.random.gaussian() * 9 * drift) * STEP_S;
    r.sprintS = Math.max(0, r.sprintS - STEP_S);
    if (person.part === 'outfield' && r.sprintS === 0 && this.random.next() < 0.035 * STEP_S)
      r.sprintS = this.random.between(1.5, 3.5);
    let [x, y] = stationOf(person, this.ball.x, this.ball.y, attacking);
    if (person.part === 'outfield') {
      x += r.driftX + (r.sprintS > 0 ? forSide(person.side, 14) - forSide(person.side, 0) : 0);
      y += r.driftY;
    } else if (person.part === 'referee') y += r.driftY * 3;
    let limit = Math.hypot(x - r.x, y - r.y) > 9 || r.sprintS > 0 ? person.topSpeedMs : 4.6;
    if (r === this.holder) {
      if (person.part === 'outfield') {
        x = forSide(person.side, Math.min(98, forSide(person.side, r.x) + 12));
        y = PITCH_WIDTH_M / 2 + (r.y - PITCH_WIDTH_M / 2) * 0.8 + r.driftY * 1.5;
      }
      limit = 5.2;
    } else if (r === this.receiver && !this.holder) {
      const late = this.sinceKickS > 1.2 || Math.hypot(this.aim[0] - r.x, this.aim[1] - r.y) < 1;
      [x, y] = late ? [this.ball.x + this.ball.vx * 0.3, this.ball.y + this.ball.vy * 0.3] : this.aim;
      limit = person.topSpeedMs;
    } else if (chasers.has(r)) {
      const stand = this.holder ? 1.1 : 0;
      const goalX = forSide(person.side, 0);
      const away = Math.hypot(goalX - this.ball.x, PITCH_WIDTH_M / 2 - this.ball.y) || 1;
      x = this.ball.x + this.ball.vx * 0.3 + ((goalX - this.ball.x) / away) * stand;
      y = this.ball.y + this.ball.vy * 0.3 + ((PITCH_WIDTH_M / 2 - this.ball.y) / away) * stand;
      limit = person.topSpeedMs * 0.92;
    }
    steer(r, { x, y, limitMs: limit }, this);
  }
}
