import { readdirSync, readFileSync } from 'node:fs';

/** Resident bytes of a process and all below it; pages that they share count in each. Undefined where there is no /proc (not Linux). */
export function residentBytes(root: number): number | undefined {
  const parents = new Map<number, number>();
  const resident = new Map<number, number>();
  for (const name of processes()) {
    try {
      const status = readFileSync(`/proc/${name}/status`, 'utf8');
      parents.set(Number(name), Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]));
      resident.set(Number(name), Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) * 1024);
    } catch {
      // It ended meanwhile.
    }
  }
  if (resident.size === 0) return undefined;
  const below = (pid: number): boolean => pid === root || (parents.has(pid) && pid > 1 && below(parents.get(pid) ?? 0));
  return [...resident].reduce((sum, [pid, bytes]) => sum + (below(pid) ? bytes : 0), 0);
}

function processes(): readonly string[] {
  try {
    return readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}
