/** Bounds of one socket, and the codes that it is closed with. */
export const CLOSE = {
  unsupported: 1003, goingAway: 1001, tokenEnded: 4401, secondAuth: 4403, notAuthenticated: 4408, slowReader: 4410, tooMany: 4429,
} as const;
export const SOCKET_BOUNDS = {
  payloadBytes: 1024 * 1024,
  fragments: 64,
  bufferedChunks: 1_024,
  firstMessageMs: 5_000,
  /** Of one message, until the token is known. */
  firstMessageBytes: 16 * 1024,
  /** Messages that wait while the token is being checked. */
  earlyMessages: 16,
  unsentBytes: 4 * 1024 * 1024,
  /** Below it a reader of the past is fed the next page. */
  lowWaterBytes: 256 * 1024,
  stalledMs: 10_000,
  closingMs: 10_000,
  /** When the gateway goes away: for the answers of what is in flight, then once more for the close. */
  farewellMs: 1_000,
  pingEveryMs: 20_000,
  inFlight: 256,
} as const;
