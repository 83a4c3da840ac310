import { TypeRegistry } from '@polkadot/types';

/** The runtime's own structures as its published source has them (spec 425), for an encoder that is independent of ours. */
export const registryTypes: Record<string, string | Record<string, string>> = {
  SubAxonInfo: {
    block: 'u64',
    version: 'u32',
    ip: 'u128',
    port: 'u16',
    ip_type: 'u8',
    protocol: 'u8',
    placeholder1: 'u8',
    placeholder2: 'u8',
  },
  SubPrometheusInfo: { block: 'u64', version: 'u32', ip: 'u128', port: 'u16', ip_type: 'u8' },
  SubNeuronInfoLite: {
    hotkey: 'AccountId',
    coldkey: 'AccountId',
    uid: 'Compact<u16>',
    netuid: 'Compact<u16>',
    active: 'bool',
    axon_info: 'SubAxonInfo',
    prometheus_info: 'SubPrometheusInfo',
    stake: 'Vec<(AccountId, Compact<u64>)>',
    rank: 'Compact<u16>',
    emission: 'Compact<u64>',
    incentive: 'Compact<u16>',
    consensus: 'Compact<u16>',
    trust: 'Compact<u16>',
    validator_trust: 'Compact<u16>',
    dividends: 'Compact<u16>',
    last_update: 'Compact<u64>',
    validator_permit: 'bool',
    pruning_score: 'Compact<u16>',
  },
};

const places: Readonly<Record<number, readonly [string, string]>> = {
  52: ['hotkeys', 'Vec<AccountId>'],
  55: ['axons', 'Vec<SubAxonInfo>'],
  57: ['validator_permit', 'Vec<bool>'],
  67: ['alpha_stake', 'Vec<Compact<u64>>'],
  68: ['tao_stake', 'Vec<Compact<u64>>'],
  69: ['total_stake', 'Vec<Compact<u64>>'],
};
registryTypes.SubSelectiveMetagraph = Object.fromEntries(
  Array.from({ length: 74 }, (_, index) => {
    if (index === 0) return ['netuid', 'Compact<u16>'];
    const [name, type] = places[index] ?? [`field${index}`, 'u8'];
    return [name, `Option<${type}>`];
  }),
);

export interface FakeNeuron {
  readonly hotkey: string;
  /** TAO. */
  readonly tao: number;
  readonly alpha: number;
  readonly permit: boolean;
  /** As a number, 0 = none. */
  readonly ip: bigint;
  readonly port: number;
}

const registry = new TypeRegistry();
registry.register(registryTypes);

const rao = (tao: number) => BigInt(Math.round(tao * 1e9));
const axon = ({ ip, port }: FakeNeuron) => ({
  block: 1,
  version: 1,
  ip,
  port,
  ip_type: ip > 0xffffffffn ? 6 : 4,
  protocol: 4,
});

/** The answer to `get_selective_metagraph`, as hex. */
export function encodeSelective(netuid: number, neurons: readonly FakeNeuron[]): string {
  const value = registry.createType('Option<SubSelectiveMetagraph>', {
    netuid,
    hotkeys: neurons.map(({ hotkey }) => hotkey),
    axons: neurons.map(axon),
    validator_permit: neurons.map(({ permit }) => permit),
    alpha_stake: neurons.map(({ alpha }) => rao(alpha)),
    tao_stake: neurons.map(({ tao }) => rao(tao)),
    total_stake: neurons.map(({ tao, alpha }) => rao(alpha + tao * 0.18)),
  });
  return `0x${Buffer.from(value.toU8a()).toString('hex')}`;
}

/** The answer to `get_neurons_lite`, as hex; `wrapped` = as bytes inside `Vec<u8>`, as at spec 219. */
export function encodeNeuronsLite(netuid: number, neurons: readonly FakeNeuron[], wrapped: boolean): string {
  const value = registry.createType(
    'Vec<SubNeuronInfoLite>',
    neurons.map((neuron, uid) => ({
      hotkey: neuron.hotkey,
      coldkey: neuron.hotkey,
      uid,
      netuid,
      active: true,
      axon_info: axon(neuron),
      stake: [
        [neuron.hotkey, rao(neuron.alpha / 2)],
        [neuron.hotkey, rao(neuron.alpha / 2)],
      ],
      validator_permit: neuron.permit,
    })),
  );
  const bytes = wrapped ? registry.createType('Bytes', [...value.toU8a()]).toU8a() : value.toU8a();
  return `0x${Buffer.from(bytes).toString('hex')}`;
}
