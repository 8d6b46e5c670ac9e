/** A network before a PostgreSQL that listens on a socket file: it can swallow what is sent. */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClientConfig } from 'pg';

export interface Network {
  /** Leads through it. */
  readonly connection: ClientConfig;
  /** From now on nothing arrives, but for so many bytes on the way to the server. Connections stay open, and new ones are taken. */
  swallow(bytes?: number): void;
  /** New connections pass again. Those that were open hear nothing any more, and the server does not hear that they ended. */
  heal(): void;
  /** Give it to `t.teardown`. */
  close(): Promise<void>;
}

export async function networkBefore(connection: ClientConfig): Promise<Network> {
  const folder = await mkdtemp(join(tmpdir(), 'portcullis-net-'));
  const file = `.s.PGSQL.${String(connection.port)}`;
  const sockets = new Set<Socket>();
  let isSwallowing = false;
  let passing = 0;
  const server = createServer((client) => {
    const upstream = connect(join(connection.host as string, file));
    let isDead = isSwallowing;
    const dies = (): boolean => (isDead ||= isSwallowing);
    client.on('data', (chunk) => {
      if (!dies()) upstream.write(chunk);
      else if (passing > 0) upstream.write(chunk.subarray(0, passing));
      if (isDead) passing = Math.max(0, passing - chunk.length);
    });
    upstream.on('data', (chunk) => {
      if (!dies()) client.write(chunk);
    });
    client.on('close', () => { if (!dies()) upstream.destroy(); });
    upstream.on('close', () => { if (!dies()) client.destroy(); });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
    }
  });
  await new Promise<void>((resolve) => server.listen(join(folder, file), resolve));
  return {
    connection: { ...connection, host: folder },
    swallow(bytes = 0) {
      isSwallowing = true;
      passing = bytes;
    },
    heal() {
      isSwallowing = false;
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
