/** Entry points of the known networks (docs/protocol.md §5); `local` is a development node. */
export const networkUrls = {
  finney: 'wss://entrypoint-finney.opentensor.ai:443',
  test: 'wss://test.finney.opentensor.ai:443',
  local: 'ws://127.0.0.1:9944',
} as const;

/** How a node is named in texts: only its host, since a key may stand anywhere else in its address. */
export const nodeName = (url: string): string => (URL.canParse(url) ? new URL(url).host : 'the node');
