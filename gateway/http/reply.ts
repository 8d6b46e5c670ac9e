/** The one exit: every answer, refusal and defect leaves through `send`, with the headers that all of them carry. */
import type { Socket } from 'node:net';
import { STATUS_CODES } from 'node:http';
import type { FastifyReply } from 'fastify';
import { BOUNDS } from './bounds.ts';
import { problemOfConnection } from './errors.ts';
import { JSON_TYPE, PROBLEM_TYPE, SECURITY_HEADERS, TEXT_TYPE } from './headers.ts';
import { jsonText } from './json.ts';
import type { Answer } from './service.ts';

const COMMON_HEADERS = { ...SECURITY_HEADERS, 'cache-control': 'no-store' };
const RETRY_STATUSES = [429, 503];

const isProblem = ({ status, body }: Answer): boolean => status >= 400 && typeof body === 'object' && body !== null && 'code' in body;

/** Text is sent as it is; all else as JSON, a problem by its own media type. */
export function send(reply: FastifyReply, answer: Answer, type?: string): void {
  const { status, body } = answer;
  reply.code(status).headers(COMMON_HEADERS);
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  if (RETRY_STATUSES.includes(status)) reply.header('retry-after', String(BOUNDS.retryAfterSeconds));
  if (reply.server.isStopping) reply.header('connection', 'close');
  if (typeof body === 'string') reply.header('content-type', type ?? TEXT_TYPE).send(body);
  else reply.header('content-type', isProblem(answer) ? PROBLEM_TYPE : JSON_TYPE).send(jsonText(body));
}

/** Answers a connection whose request could not be parsed, and ends it. */
export function sendToConnection(error: unknown, socket: Socket): void {
  if (!socket.writable || socket.destroyed) {
    socket.destroy();
    return;
  }
  const answer = problemOfConnection(error);
  const text = JSON.stringify(answer.body);
  const headers = { ...COMMON_HEADERS, 'content-type': PROBLEM_TYPE, 'content-length': String(Buffer.byteLength(text)), connection: 'close' };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}\r\n${lines.join('')}\r\n${text}`);
}
