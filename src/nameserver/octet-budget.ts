/** Who holds octets of the budget, and gives them up when others need the room. */
export interface BudgetHolder {
  /** Called when the holder has lost its room: it is no longer counted and must let go of what it held. */
  giveUp(): void;
}

/**
 * Room for encoded messages of all kinds, counted together: what is used lasts, what has not been
 * used for longest goes first.
 */
export interface OctetBudget {
  readonly octetsMax: number;
  /** Marks the holder as used just now and counts it with so many octets, at most as many as before. */
  use(holder: BudgetHolder, octets: number): void;
  /** Gives the holder room for so many octets in all, at the cost of others; false when there is none. */
  grow(holder: BudgetHolder, octets: number): boolean;
  /** The holder has nothing any more. */
  leave(holder: BudgetHolder): void;
  held(): number;
}

export function createOctetBudget(octetsMax: number): OctetBudget {
  /** The longest unused first. */
  const holders = new Map<BudgetHolder, number>();
  let held = 0;
  const leave = (holder: BudgetHolder): void => {
    held -= holders.get(holder) ?? 0;
    holders.delete(holder);
  };
  const use = (holder: BudgetHolder, octets: number): void => {
    leave(holder);
    holders.set(holder, octets);
    held += octets;
  };
  return {
    octetsMax,
    use,
    leave,
    grow(holder, octets) {
      // What does not fit even by itself must not cost the others their room.
      if (octets > octetsMax) return false;
      const before = holders.get(holder) ?? 0;
      for (const other of holders.keys()) {
        if (held - before + octets <= octetsMax) break;
        if (other === holder) continue;
        leave(other);
        other.giveUp();
      }
      use(holder, octets);
      return true;
    },
    held: () => held,
  };
}
