import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

/** What is on its way to a client. */
export interface Outgoing {
  /** Hands octets over; `taken` is called when the system has them, and they are then free. */
  write(octets: Uint8Array, taken?: () => void): void;
  /** Octets that the system has not taken yet. */
  unsent(): number;
  /** Whether the client should take some before more is made for it; `drained` says when it did. */
  isFull(): boolean;
  /** Closes our side behind what was written. */
  end(): void;
}

export function createOutgoing(socket: Socket, drained: () => void): Outgoing {
  return socket instanceof TLSSocket
    ? tlsOutgoing(socket, drained)
    : plainOutgoing(socket, drained);
}

function plainOutgoing(socket: Socket, drained: () => void): Outgoing {
  socket.on('drain', drained);
  return {
    write(octets, taken) {
      if (taken === undefined) socket.write(octets);
      else socket.write(octets, (error) => !error && taken());
    },
    unsent: () => socket.writableLength,
    isFull: () => socket.writableNeedDrain,
    end: () => socket.end(),
  };
}

/**
 * Octets that are encrypted at a time. All of a write is encrypted at once, however little of it the
 * client takes, so this is what a client that does not read costs beside the clear octets. It is also
 * the step in which we see that a client takes something.
 */
const TLS_SLICE_OCTETS = 65_536;

function tlsOutgoing(socket: TLSSocket, drained: () => void): Outgoing {
  const waiting: { octets: Uint8Array; taken: (() => void) | undefined }[] = [];
  let unsent = 0;
  let isFull = false;
  let isSending = false;
  let isEnding = false;

  const sendSlice = (): void => {
    const [head] = waiting;
    const slice = head.octets.subarray(0, TLS_SLICE_OCTETS);
    isSending = true;
    socket.write(slice, (error) => {
      isSending = false;
      if (error) return;
      unsent -= slice.length;
      head.octets = head.octets.subarray(slice.length);
      if (head.octets.length === 0) {
        waiting.shift();
        head.taken?.();
      }
      goOn();
    });
  };
  const goOn = (): void => {
    if (isSending) return;
    if (waiting.length > 0) {
      sendSlice();
      return;
    }
    if (isEnding) socket.end();
    if (!isFull) return;
    isFull = false;
    drained();
  };

  return {
    write(octets, taken) {
      waiting.push({ octets, taken });
      unsent += octets.length;
      isFull ||= unsent >= socket.writableHighWaterMark;
      goOn();
    },
    unsent: () => unsent,
    isFull: () => isFull,
    end() {
      isEnding = true;
      goOn();
    },
  };
}
