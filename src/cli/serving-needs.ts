import type { ConfigFault, GivenConfig } from '../app/config.js';
import { listedMembers } from '../chain/index.js';

/** What `tikitaka serve` asks of the configuration besides its form. */
export function servingNeeds(given: GivenConfig): readonly ConfigFault[] {
  const { AUTH: auth = 'chain', ALLOWED_HOTKEYS: allowed = '' } = given;
  const faults: ConfigFault[] = [];
  if (auth !== 'off') {
    for (const key of ['WALLET_NAME', 'HOTKEY_NAME'] as const) {
      if (!given[key]) faults.push([key, `AUTH=${auth} needs the hot key that callers address`]);
    }
  }
  if (auth === 'static') {
    const fault = listFault(allowed);
    if (fault) faults.push(['ALLOWED_HOTKEYS', fault]);
  }
  if (isOn(given.DIRECT_URL_STREAM) && !isOn(given.ALLOW_PRIVATE_URLS)) {
    faults.push(['DIRECT_URL_STREAM', 'libav follows redirects to private addresses: needs ALLOW_PRIVATE_URLS=1']);
  }
  return faults;
}

const isOn = (text = '') => /^(1|true|yes|on)$/i.test(text.trim());

function listFault(text: string): string | undefined {
  const hotkeys = text.split(',').flatMap((hotkey) => hotkey.trim() || []);
  if (hotkeys.length === 0) return 'AUTH=static needs a list of hot keys';
  try {
    listedMembers(hotkeys);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
