import { once } from 'node:events';
import { createClipServer } from './clip-server.js';
import type { FarServer, FarServerOptions } from './far-server.js';
import { createShapedLink } from './shaped-link.js';

/** The process behind `createFarServer`: takes its options, tells its address, lives as long as its parent. */
process.once('disconnect', () => process.exit());
const [{ link, ...server }] = (await once(process, 'message')) as [FarServerOptions];
const { port, url, ca } = await createClipServer(server);
const shaped = await createShapedLink({ ...link, targetPort: port });
process.send?.({ url: `${new URL(url).protocol}//localhost:${shaped.port}`, ca } satisfies Omit<FarServer, 'close'>);
