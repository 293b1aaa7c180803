/** Requests to the daemon, typed by its OpenAPI document. */

import { busyRetry } from "../policy/retry";
import { BASE } from "./base";
import type { paths } from "./schema";
import type { Problem } from "./types";

type Method = "get" | "post" | "put" | "patch" | "delete";

/** Paths of the document that have this method. */
type PathOf<M extends Method> = {
  [P in keyof paths]: paths[P][M] extends { responses: unknown } ? P : never;
}[keyof paths];

type Operation<P extends keyof paths, M extends Method> = paths[P][M];

type JsonOf<R> = R extends { content: { "application/json": infer T } } ? T : undefined;

/** The body of a success. */
type Success<O> = O extends { responses: infer R } ? JsonOf<R[Extract<keyof R, 200 | 201 | 202 | 204>]> : never;

type BodyOf<O> = O extends { requestBody?: infer B }
  ? NonNullable<B> extends { content: { "application/json": infer T } }
    ? T
    : never
  : never;

type PathParameters<O> = O extends { parameters: { path: infer P } } ? P : never;
type QueryParameters<O> = O extends { parameters: { query?: infer Q } } ? NonNullable<Q> : never;

export interface Wish<O> {
  path?: PathParameters<O>;
  query?: QueryParameters<O>;
  body?: BodyOf<O>;
  signal?: AbortSignal;
}

/** An answer that is none: an error that the daemon told of, or that it could not be reached. */
export class ApiError extends Error {
  constructor(
    message: string,
    /** Of the answer; 0 where there was none. */
    readonly status: number,
    readonly problem: Problem | null,
  ) {
    super(message);
  }
}

let unauthorized: () => void = () => undefined;

/** Calls `handler` whenever a request was refused for want of a token. */
export function onUnauthorized(handler: () => void): void {
  unauthorized = handler;
}

/** The address of an operation of the document, with its parameters filled in. */
export function pathOf<P extends PathOf<"get">>(
  path: P,
  values: PathParameters<Operation<P, "get">> | Record<string, never> = {},
  query: QueryParameters<Operation<P, "get">> | Record<string, never> = {},
): string {
  return filled(path, values, query);
}

function filled(path: string, values: object = {}, query: object = {}): string {
  const whole = BASE + Object.entries(values).reduce(
    (text, [name, value]) => text.replace(`{${name}}`, encodeURIComponent(String(value))),
    path,
  );
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  const search = new URLSearchParams(pairs.map(([name, value]) => [name, String(value)]));
  return pairs.length === 0 ? whole : `${whole}?${search}`;
}

export function get<P extends PathOf<"get">>(path: P, wish: Wish<Operation<P, "get">> = {}) {
  return request<Success<Operation<P, "get">>>("GET", path, wish);
}

export function post<P extends PathOf<"post">>(path: P, wish: Wish<Operation<P, "post">> = {}) {
  return request<Success<Operation<P, "post">>>("POST", path, wish);
}

export function put<P extends PathOf<"put">>(path: P, wish: Wish<Operation<P, "put">> = {}) {
  return request<Success<Operation<P, "put">>>("PUT", path, wish);
}

export function patch<P extends PathOf<"patch">>(path: P, wish: Wish<Operation<P, "patch">> = {}) {
  return request<Success<Operation<P, "patch">>>("PATCH", path, wish);
}

export function remove<P extends PathOf<"delete">>(path: P, wish: Wish<Operation<P, "delete">> = {}) {
  return request<Success<Operation<P, "delete">>>("DELETE", path, wish);
}

async function request<T>(
  method: string,
  path: string,
  { path: values, query, body, signal }: { path?: object; query?: object; body?: unknown; signal?: AbortSignal },
): Promise<T> {
  const init: RequestInit = { method, headers: { accept: "application/json" } };
  if (signal) init.signal = signal;
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { ...init.headers, "content-type": "application/json" };
  }
  let response: Response;
  try {
    response = await fetch(filled(path, values, query), init);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError("The scanner cannot be reached.", 0, null);
  }
  const text = await response.text().catch(() => "");
  const json = parsed(text);
  if (response.ok) return (json ?? undefined) as T;
  const problem = isProblem(json) ? json : null;
  if (response.status === 401 && path !== "/api/v1/login") unauthorized();
  throw new ApiError(problem?.detail ?? `${response.status} ${response.statusText}`, response.status, problem);
}

function parsed(text: string): unknown {
  try {
    return text === "" ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

function isProblem(json: unknown): json is Problem {
  return typeof json === "object" && json !== null && "type" in json && "detail" in json;
}

/**
 * Makes a request that a busy rig may refuse: then once more when it says. `waiting` is told for how many seconds.
 */
export async function whenFree<T>(ask: () => Promise<T>, waiting: (seconds: number) => void): Promise<T> {
  for (let refusals = 0; ; ) {
    try {
      return await ask();
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 429) throw error;
      refusals += 1;
      const wait = busyRetry(refusals, error.problem?.retry_after ?? undefined);
      if (wait === null) throw error;
      waiting(wait);
      await new Promise((resolve) => setTimeout(resolve, wait * 1000));
    }
  }
}

/** What to show of an error. */
export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
