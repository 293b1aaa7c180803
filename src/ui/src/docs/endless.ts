/** Answers that never end, and WebSockets, cannot be tried here: the viewer would wait for their end. */

interface Operation {
  responses?: Record<string, { content?: Record<string, unknown> }>;
}

const STREAMS: readonly string[] = ["text/event-stream", "multipart/x-mixed-replace"];

export function isEndless(operation: Operation): boolean {
  const responses = operation.responses ?? {};
  const types = Object.keys(responses["200"]?.content ?? {});
  return "101" in responses || types.some((type) => STREAMS.some((stream) => type.startsWith(stream)));
}

interface Selectors {
  specJson(): { getIn(path: readonly string[]): { toJS(): Operation } | undefined };
}

type Allowed = (state: unknown, path: string, method: string) => boolean;

/** A plugin of Swagger UI. */
export const endless = {
  statePlugins: {
    spec: {
      wrapSelectors: {
        allowTryItOutFor:
          (allowed: Allowed, system: { specSelectors: Selectors }): Allowed =>
          (state, path, method) => {
            const operation = system.specSelectors.specJson().getIn(["paths", path, method])?.toJS();
            return allowed(state, path, method) && !(operation && isEndless(operation));
          },
      },
    },
  },
};
