import { copyFileSync, cpSync, existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { generateRules } from './generate.ts';
import { writeZone } from './peers/peer-zone.ts';
import { startSluice } from './servers.ts';

/** Zones of so many rules that more than one section measures: each is made when it is first asked for. */
export interface Stock {
  /** A folder for a peer with the zone file `zone.db` in it, its own to do with as it likes. */
  peerFolder(rules: number, folder: string): Promise<string>;
  /** A folder that Sluice was stopped on, copied. */
  sluiceFolder(rules: number, folder: string): Promise<string>;
}

/** Keeps what it makes in a folder, and finds there what an earlier run of the same `version` has made. */
export function openStock(home: string, version: string, say: (text: string) => void): Stock {
  const making = new Map<string, Promise<string>>();
  const makeOnce = async (name: string, make: (path: string) => Promise<void>) => {
    const path = join(home, name);
    if (existsSync(path)) return path;
    say(`making ${name}`);
    mkdirSync(home, { recursive: true });
    await make(`${path}.part`);
    renameSync(`${path}.part`, path);
    return path;
  };
  const once: typeof makeOnce = (name, make) => {
    const path = making.get(name) ?? makeOnce(name, make);
    making.set(name, path);
    return path;
  };
  return {
    async peerFolder(rules, folder) {
      const zone = await once(`zone-${rules}.db`, (path) =>
        writeZone(path, generateRules(rules), 1),
      );
      copyFileSync(zone, join(folder, 'zone.db'));
      return folder;
    },
    async sluiceFolder(rules, folder) {
      const made = await once(`sluice-${version}-${rules}`, async (path) => {
        await (await startSluice(path, generateRules(rules))).stop();
      });
      // By its time the image is known to be as it was written.
      cpSync(made, folder, { recursive: true, preserveTimestamps: true });
      return folder;
    },
  };
}
