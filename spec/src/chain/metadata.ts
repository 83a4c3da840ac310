import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { Metadata, TypeRegistry } from '@polkadot/types';

/** Real metadata of the main network, V14, spec 219 (spec/fixtures/chain-README.md). */
export function metadataV14(): string {
  const file = readFileSync(new URL('../../fixtures/chain-metadata-v14.bin.gz', import.meta.url));
  return `0x${gunzipSync(file).toString('hex')}`;
}

/** The same as V15 with a description of the metagraph call, as current runtimes have it: what V14 cannot say is added by hand. */
export function metadataV15(): string {
  const registry = new TypeRegistry();
  const json = JSON.parse(JSON.stringify(new Metadata(registry, metadataV14() as `0x${string}`).asV15.toJSON()));
  const types: { id: number; type: object }[] = json.lookup.types;
  const add = (def: object, path: string[] = []) =>
    types.push({ id: types.length, type: { path, params: [], def, docs: [] } }) - 1;
  const u16 = types.findIndex(({ type }) => 'def' in type && JSON.stringify(type.def) === '{"primitive":"U16"}');
  const netuid = add({ composite: { fields: [{ name: null, type: u16, typeName: 'u16', docs: [] }] } }, [
    'subtensor_runtime_common',
    'NetUid',
  ]);
  const compact = add({ compact: { type: netuid } });
  const struct = add({ composite: { fields: [{ name: 'netuid', type: compact, typeName: null, docs: [] }] } }, [
    'pallet_subtensor',
    'rpc_info',
    'metagraph',
    'SelectiveMetagraph',
  ]);
  const list = add({ sequence: { type: u16 } });
  json.apis = [
    {
      name: 'SubnetInfoRuntimeApi',
      docs: [],
      methods: [
        {
          name: 'get_selective_metagraph',
          inputs: [
            { name: 'netuid', type: netuid },
            { name: 'metagraph_indexes', type: list },
          ],
          output: struct,
          docs: [],
        },
      ],
    },
  ];
  // Current runtimes wrap the payment extension under another name, with the same contents (docs/protocol.md §5).
  for (const extension of json.extrinsic.signedExtensions) {
    extension.identifier = extension.identifier.replace(/^ChargeTransactionPayment$/, '$&Wrapper');
  }
  const fresh = new TypeRegistry();
  const bytes = fresh.createType('MetadataV15', json).toU8a();
  return `0x6d6574610f${Buffer.from(bytes).toString('hex')}`;
}

/** `Option<OpaqueMetadata>`: what `Metadata_metadata_at_version` answers: 1, the length as a compact integer of four bytes, the bytes. */
export function asOpaque(metadataHex: string): string {
  const bytes = Buffer.from(metadataHex.slice(2), 'hex');
  const length = Buffer.alloc(4);
  length.writeUInt32LE(((bytes.length << 2) | 2) >>> 0);
  return `0x01${length.toString('hex')}${bytes.toString('hex')}`;
}
