import { take } from 'rxjs';
import type { Logger } from '../app/log.js';
import { listedMembers, type MetagraphView, membersOf, openMetagraphView, verifySignature } from '../chain/index.js';
import { type Auth, createAuth } from '../server/index.js';
import { chainOf, snapshotPath } from './chain-settings.js';
import { tell } from './checks.js';
import { judgePlace } from './judgements.js';
import type { Start } from './start-checks.js';

/**
 * Who may call, as the configuration says. The chain is read in the background: until a first view of it is there, callers are
 * refused with ERR_CHAIN_UNAVAILABLE. Errors: ERR_KEYFILE. `view` is the caller's to close.
 */
export async function openAuth(
  { config, hotkey }: Start,
  log: Logger,
): Promise<{ readonly auth: Auth; readonly view?: MetagraphView }> {
  if (config.AUTH === 'off') return { auth: createAuth({ mode: 'off' }) };
  const { address } = await hotkey();
  const common = { ownHotkey: address, verifySignature };
  if (config.AUTH === 'static') {
    return { auth: createAuth({ ...common, mode: 'static', findMember: listedMembers(config.ALLOWED_HOTKEYS) }) };
  }
  const view = openMetagraphView({
    ...chainOf(config),
    refresh: config.REFRESH_NODES,
    loadSaved: config.LOAD_OLD_NODES,
    snapshotPath: snapshotPath(config),
    log,
  });
  // Ends with the view.
  view.snapshots$.pipe(take(1)).subscribe((snapshot) => {
    const { netuid, neurons } = snapshot;
    const callers = neurons.filter(({ taoStake }) => taoStake >= config.MIN_STAKE_THRESHOLD).length;
    log.info(`metagraph of subnet ${netuid}: ${neurons.length} members, ${callers} may call`);
    tell({ name: 'metagraph', ...judgePlace({ snapshot, address, port: config.PORT }) }, log);
  });
  const findMember = membersOf(view);
  const auth = createAuth({ ...common, mode: 'chain', findMember, minStakeTao: config.MIN_STAKE_THRESHOLD });
  return { auth, view };
}
