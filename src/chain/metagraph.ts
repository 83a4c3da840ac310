import { TikitakaError } from '../../operators/index.js';
import { formatIp } from './ip-address.js';
import { toAddress } from './keys.js';
import { type ScaleReader, scaleReader } from './scale.js';

/** One registered key of the subnet. Amounts in TAO (on the chain: rao, 1e-9). */
export interface Neuron {
  readonly uid: number;
  /** ss58, prefix 42. */
  readonly hotkey: string;
  /** Root stake, unweighted: what callers are judged by (docs/protocol.md §4). */
  readonly taoStake: number;
  readonly alphaStake: number;
  /** Alpha plus weighted TAO, as the chain says. */
  readonly totalStake: number;
  readonly validatorPermit: boolean;
  /** Where it serves; undefined: nowhere. */
  readonly axon: { readonly ip: string; readonly port: number } | undefined;
}

/** Calls of the runtime that tell the metagraph, best first. */
export const metagraphCalls = {
  selective: 'SubnetInfoRuntimeApi_get_selective_metagraph',
  /** Older runtimes: one list of stakes per neuron, which stands for all three amounts. */
  neuronsLite: 'NeuronInfoRuntimeApi_get_neurons_lite',
} as const;

/** Fields of SelectiveMetagraph that are asked for, by index (docs/protocol.md §4; 0 must be among them); the others come back empty. */
const wanted = { hotkeys: 52, axons: 55, validatorPermit: 57, alphaStake: 67, taoStake: 68, totalStake: 69 } as const;

/** SCALE parameters of `selective`: netuid u16, Vec<u16>. */
export function selectiveParams(netuid: number): Uint8Array {
  const indexes = [0, ...Object.values(wanted)];
  const out = Buffer.alloc(3 + 2 * indexes.length);
  out.writeUInt16LE(netuid);
  out.writeUInt8(indexes.length << 2, 2);
  for (const [place, index] of indexes.entries()) out.writeUInt16LE(index, 3 + 2 * place);
  return out;
}

/** SCALE parameters of `neuronsLite`: netuid u16. */
export function neuronsLiteParams(netuid: number): Uint8Array {
  return Uint8Array.of(netuid & 255, netuid >> 8);
}

/** Decodes `Option<SelectiveMetagraph>`. Throws ERR_CHAIN_ANSWER for garbage, ERR_CHAIN_NETUID where the subnet does not exist. */
export function decodeSelective(data: Uint8Array, netuid: number): readonly Neuron[] {
  const reader = scaleReader(data);
  const { bool, bytes, compact, list, option } = reader;
  if (!bool()) throw new TikitakaError('ERR_CHAIN_NETUID', `Subnet ${netuid} does not exist on this chain`);
  checkNetuid(compact(), netuid);
  let field = 1;
  const absentUntil = (end: number) => {
    for (; field < end; field++) if (bool()) throw garbled(`field ${field} was not asked for`);
  };
  const column = <T>(index: number, item: () => T): readonly T[] => {
    absentUntil(index);
    field++;
    return option(() => list(item)) ?? [];
  };
  const hotkeys = column(wanted.hotkeys, () => toAddress(bytes(32)));
  const axons = column(wanted.axons, () => readAxon(reader));
  const permits = column(wanted.validatorPermit, bool);
  const alpha = column(wanted.alphaStake, () => toTao(compact()));
  const tao = column(wanted.taoStake, () => toTao(compact()));
  const total = column(wanted.totalStake, () => toTao(compact()));
  // Later runtimes append fields: as long as they are absent too, they do not matter.
  absentUntil(field + reader.left);
  for (const each of [axons, permits, alpha, tao, total]) {
    if (each.length !== 0 && each.length !== hotkeys.length) throw garbled('columns of different length');
  }
  return hotkeys.map((hotkey, uid) => ({
    uid,
    hotkey,
    taoStake: tao[uid] ?? 0,
    alphaStake: alpha[uid] ?? 0,
    totalStake: total[uid] ?? 0,
    validatorPermit: permits[uid] ?? false,
    axon: axons[uid],
  }));
}

/** Decodes `Vec<NeuronInfoLite>`, or the same as bytes inside `Vec<u8>` (spec 219). Throws ERR_CHAIN_ANSWER. */
export function decodeNeuronsLite(data: Uint8Array, netuid: number): readonly Neuron[] {
  const outer = scaleReader(data);
  const count = outer.compact();
  const wrapped = count > 0n && count === BigInt(outer.left);
  const reader = scaleReader(wrapped ? outer.bytes(outer.left) : data);
  const neurons = reader.list(() => readNeuronLite(reader, netuid));
  reader.end();
  return neurons;
}

function readNeuronLite(reader: ScaleReader, netuid: number): Neuron {
  const { bool, bytes, compact, list, uint } = reader;
  const hotkey = toAddress(bytes(32));
  bytes(32); // coldkey
  const uid = Number(compact());
  checkNetuid(compact(), netuid);
  bool(); // active
  const axon = readAxon(reader);
  for (const size of [8, 4, 16, 2, 1] as const) uint(size); // prometheus_info
  const stakes = list(() => {
    bytes(32);
    return compact();
  });
  // rank, emission, incentive, consensus, trust, validator_trust, dividends, last_update
  for (let i = 0; i < 8; i++) compact();
  const validatorPermit = bool();
  compact(); // pruning_score
  const stake = toTao(stakes.reduce((sum, each) => sum + each, 0n));
  return { uid, hotkey, taoStake: stake, alphaStake: stake, totalStake: stake, validatorPermit, axon };
}

/** AxonInfo: block u64, version u32, ip u128, port u16, ip_type u8, protocol u8, two placeholders u8 (docs/protocol.md §4). */
function readAxon({ uint }: ScaleReader): Neuron['axon'] {
  uint(8);
  uint(4);
  const value = uint(16);
  const port = Number(uint(2));
  const version = uint(1) === 6n ? 6 : 4;
  for (let i = 0; i < 3; i++) uint(1);
  if (version === 4 && value > 0xffff_ffffn) throw garbled('an IPv4 address has more than 32 bits');
  return port === 0 ? undefined : { ip: formatIp({ version, value }), port };
}

function toTao(rao: bigint): number {
  return Number(rao) / 1e9;
}

function checkNetuid(got: bigint, netuid: number): void {
  if (got !== BigInt(netuid)) throw garbled(`it is about subnet ${got}, not ${netuid}`);
}

function garbled(reason: string): TikitakaError {
  return new TikitakaError('ERR_CHAIN_ANSWER', `The metagraph does not decode: ${reason}`);
}
