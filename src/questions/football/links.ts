import { type Acquaintance, acquaint, associate, type Links, speedsFrom } from './associate.js';
import { Memo } from './memo.js';
import type { Station } from './tracklets.js';

/** The first round knows places only, each further one also the speeds that the round before found next door. Measured: a third changes less than 0.1 %. */
const ROUNDS = 3;

/** Links successive stations of a shot; keeps what did not change. */
export class LinkRounds {
  private readonly rounds = Array.from({ length: ROUNDS }, () => new Memo<Links>());

  private readonly acquaintances = new Memo<Acquaintance>();

  /** Entry k links station k with k + 1; a generator, so that the caller may pause between pairs. */
  *of(shot: readonly Station[]): Generator<undefined, readonly Links[]> {
    let links: readonly Links[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const next: Links[] = [];
      for (let k = 0; k + 1 < shot.length; k++) {
        next.push(yield* this.pair({ round, shot, k, known: links }));
        yield;
      }
      links = next;
    }
    return links;
  }

  sweep(): void {
    for (const memo of [this.acquaintances, ...this.rounds]) memo.sweep();
  }

  private *pair({ round, shot, k, known }: Pair): Generator<undefined, Links> {
    const [before, a, b, behind] = [shot[k - 1], shot[k], shot[k + 1], shot[k + 2]];
    const [into, out] = [known[k - 1], known[k + 1]];
    const inputs = round === 0 ? [a, b] : [a, b, into && before, into, out && behind, out];
    const key = a.index * 2 ** 21 + b.index;
    const acquaintance = this.acquaintances.get(key, [a, b], () => acquaint(a, b));
    return yield* this.rounds[round].steps(key, inputs, function* () {
      const speedBefore = into && speedsFrom({ at: a, other: before, partner: into.previous });
      const speedBehind = out && speedsFrom({ at: b, other: behind, partner: out.next });
      return yield* associate({ a, b, acquaintance, speedBefore, speedBehind });
    });
  }
}

interface Pair {
  readonly round: number;
  readonly shot: readonly Station[];
  /** Place of the earlier station. */
  readonly k: number;
  /** What the round before found. */
  readonly known: readonly Links[];
}
