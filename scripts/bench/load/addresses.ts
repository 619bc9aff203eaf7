/** Addresses of the loopback network that the clients of the load come from, one each. */
const PER_BLOCK = 250;

export const deviceAddress = (index: number): string => addressIn(1, index);
export const drainAddress = (index: number): string => addressIn(101, index);
export const stalledAddress = (index: number): string => addressIn(201, index);

/** `127.0.<block>.<1 to 250>`, each block followed by the next. */
function addressIn(firstBlock: number, index: number): string {
  return `127.0.${firstBlock + Math.floor(index / PER_BLOCK)}.${1 + (index % PER_BLOCK)}`;
}
