/** Whoever wants a place, and what it counts for. */
export interface PlaceSeeker {
  readonly client: string;
  /** With a limit of its own where that is not null. */
  readonly key: { readonly name: string; readonly transfersMax: number | null } | null;
}

export interface PlaceLimits {
  readonly placesMax: number;
  readonly perClientMax: number;
  readonly perKeyMax: number;
  readonly waitingMax: number;
}

/** Places for transfers of one kind, and those who wait for one. */
export interface TransferPlaces<Seeker extends PlaceSeeker> {
  /** `waiting`: it is called by `next` later, unless it withdraws. `full`: as many wait as may. */
  ask(seeker: Seeker): 'taken' | 'waiting' | 'full';
  /** Gives a place back. */
  leave(seeker: Seeker): void;
  /** Waits no longer. */
  withdraw(seeker: Seeker): void;
  /** Of those who wait, one who may have a place now, and has it then; null when there is none. */
  next(): Seeker | null;
  taken(): number;
  waiting(): number;
}

/** The limits are read anew each time, so that they may change. */
export function createTransferPlaces<Seeker extends PlaceSeeker>(
  limits: () => PlaceLimits,
): TransferPlaces<Seeker> {
  const perClient = new Map<string, number>();
  const perKey = new Map<string, number>();
  /**
   * In the order in which clients get their turns. Who asks for a thousand zones waits behind itself:
   * others that came later wait for one of its transfers, not for all of them.
   */
  const queues = new Map<string, Seeker[]>();
  let taken = 0;
  let waiting = 0;

  const mayHavePlace = ({ client, key }: Seeker): boolean => {
    const { placesMax, perClientMax, perKeyMax } = limits();
    return (
      taken < placesMax &&
      (perClient.get(client) ?? 0) < perClientMax &&
      (key === null || (perKey.get(key.name) ?? 0) < (key.transfersMax ?? perKeyMax))
    );
  };
  const count = ({ client, key }: Seeker, by: 1 | -1): void => {
    taken += by;
    add(perClient, client, by);
    if (key !== null) add(perKey, key.name, by);
  };
  const takeOut = (client: string, queue: Seeker[], at: number): Seeker => {
    waiting -= 1;
    const [seeker] = queue.splice(at, 1);
    if (queue.length === 0) queues.delete(client);
    return seeker;
  };

  return {
    ask(seeker) {
      // Whoever waits already is kept back by limits of its own, or there is no place at all.
      if (mayHavePlace(seeker)) {
        count(seeker, 1);
        return 'taken';
      }
      if (waiting >= limits().waitingMax) return 'full';
      waiting += 1;
      const queue = queues.get(seeker.client);
      if (queue === undefined) queues.set(seeker.client, [seeker]);
      else queue.push(seeker);
      return 'waiting';
    },
    leave: (seeker) => count(seeker, -1),
    withdraw(seeker) {
      const queue = queues.get(seeker.client);
      const at = queue?.indexOf(seeker) ?? -1;
      if (queue !== undefined && at !== -1) takeOut(seeker.client, queue, at);
    },
    next() {
      if (taken >= limits().placesMax) return null;
      for (const [client, queue] of queues) {
        const at = queue.findIndex(mayHavePlace);
        if (at === -1) continue;
        const seeker = takeOut(client, queue, at);
        // Behind all others that wait.
        if (queues.delete(client)) queues.set(client, queue);
        count(seeker, 1);
        return seeker;
      }
      return null;
    },
    taken: () => taken,
    waiting: () => waiting,
  };
}

function add(counts: Map<string, number>, name: string, by: 1 | -1): void {
  const count = (counts.get(name) ?? 0) + by;
  if (count === 0) counts.delete(name);
  else counts.set(name, count);
}
