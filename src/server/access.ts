/**
 * Who may talk to the server. Everything needs the token of this start: as the cookie that the printed URL turns into, or as
 * `Authorization: Bearer`. Where another address than this machine's was asked for, a password stands in the URL's place.
 *
 * The Host header must name the server, so that a page of another name that resolves to this machine (DNS rebinding) gets
 * nothing; an Origin header must be the server's own. It keeps no sessions: the token is the session.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { MiddlewareHandler } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';

export interface Access {
  /** Of this start alone, 43 characters of base64url. */
  readonly token: string;
  /** Asked for in place of the URL's token where others than this machine may come. */
  readonly password?: string;
  /** Values of the Host header that are this server's: `127.0.0.1:4477`. Filled in when the port is known. */
  readonly hosts: Set<string>;
}

/** How long a wrong password or token takes, in ms: guesses are few a second. */
const WRONG_MS = 300;
const COOKIE = 'labelsmith';

export function newAccess(password?: string): Access {
  return { token: randomBytes(32).toString('base64url'), password, hosts: new Set() };
}

export function sameSecret(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

/** Cookies are of a host, not of a port: two servers must not take each other's away. */
function cookieName(host: string): string {
  return `${COOKIE}-${/:(\d+)$/.exec(host)?.[1] ?? '80'}`;
}

/** The Host and the Origin are this server's own. */
export function onlyOwnNames({ hosts }: Access): MiddlewareHandler {
  return async (c, next) => {
    const host = c.req.header('host') ?? '';
    if (!hosts.has(host.toLowerCase())) return c.json(refusal('this is not a name of this server'), 421);
    const origin = c.req.header('origin');
    if (origin !== undefined && origin !== `http://${host}`) return c.json(refusal('another page asked'), 403);
    const site = c.req.header('sec-fetch-site');
    if (c.req.method !== 'GET' && site !== undefined && site !== 'same-origin') {
      return c.json(refusal('another page asked'), 403);
    }
    await next();
  };
}

/** Lets pass who has the token; who brings it in the URL, or the password in the form, is given the cookie. */
export function onlyWithToken(access: Access, loginPage: string): MiddlewareHandler {
  const { token, password } = access;
  return async (c, next) => {
    const host = c.req.header('host') ?? '';
    const bearer = /^Bearer (.+)$/.exec(c.req.header('authorization') ?? '')?.[1];
    const given = bearer ?? getCookie(c, cookieName(host));
    if (given !== undefined && sameSecret(given, token)) return next();
    const admit = () => {
      setCookie(c, cookieName(host), token, { httpOnly: true, sameSite: 'Strict', path: '/' });
      return c.redirect('/', 303);
    };
    if (password === undefined) {
      const told = c.req.path === '/' ? c.req.query('token') : undefined;
      if (told !== undefined && sameSecret(told, token)) return admit();
    } else if (c.req.path === '/login' && c.req.method === 'POST') {
      const { password: told } = await c.req.parseBody();
      if (typeof told === 'string' && sameSecret(told, password)) return admit();
      await sleep(WRONG_MS);
      return c.html(loginPage, 401);
    } else if (c.req.path === '/') return c.html(loginPage, 401);
    if (given !== undefined || c.req.query('token') !== undefined) await sleep(WRONG_MS);
    return c.json(refusal('open the address that labelsmith review printed'), 401);
  };
}

export function refusal(message: string) {
  return { error: { code: 'REFUSED', message, hint: undefined as string | undefined } };
}
